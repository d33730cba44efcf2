/** Where the BFF is: another origin than this page, on the same site. */
const BFF = document.querySelector('meta[name="bff"]').content

/** An answer of the BFF that is a failure, or none at all (`status` 0). */
export class BffFailure extends Error {
  constructor(status, body = {}, retryAfterS = undefined) {
    super(body.error_description ?? body.message ?? 'The service did not answer.')
    this.status = status
    this.code = body.error ?? 'network'
    this.errorId = body.error_id
    this.retryAfterS = retryAfterS
  }
}

/**
 * Calls the BFF with the session cookie. There is no token to add: this page never has one.
 *
 * @throws {BffFailure} also for answers that are no success
 */
async function call(path, { method = 'GET', body } = {}) {
  let response
  try {
    response = await fetch(BFF + path, {
      method,
      credentials: 'include',
      cache: 'no-store',
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
  } catch {
    throw new BffFailure(0)
  }
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return { status: response.status, body: answer }
  const retryAfterS = Number.parseInt(response.headers.get('retry-after') ?? '', 10)
  throw new BffFailure(response.status, answer, Number.isNaN(retryAfterS) ? undefined : retryAfterS)
}

/** Where the page wants to be afterwards: here, without the error of an earlier attempt. */
export function ownUrl() {
  const url = new URL(location.href)
  url.searchParams.delete('auth_error')
  url.hash = ''
  return url.href
}

/** @returns the URL at Oten to navigate to */
export async function startSignIn(parameters = {}) {
  const query = new URLSearchParams({ return_to: ownUrl(), ...parameters })
  return (await call(`/auth/start?${query}`)).body.authorization_url
}

/** The address of the same sign-in for a plain link. */
export const signInHref = () => `${BFF}/auth/start?${new URLSearchParams({ return_to: ownUrl() })}`

/** Who is signed in. Asking does not keep the session alive; `touch` does. */
export const readSession = async ({ touch = false } = {}) =>
  (await call(touch ? '/auth/session?touch=true' : '/auth/session')).body

/** @returns the URL at which Oten ends its own session, or null */
export const signOut = async () =>
  (await call('/auth/logout', { method: 'POST', body: { return_to: ownUrl() } })).body.logout_url

export const callApi = () => call('/api/demo/hello')

/** Wait after a refused stream, so that a page never asks in a tight loop. */
const REFUSED_MS = 1000

const NAME = 'session-events'

/**
 * Tells that the session may have changed without this page's doing: in another tab, at Oten, or by an operator. Who
 * hears it asks the BFF what is true now. One tab holds the stream and tells the others: over HTTP/1.1 a browser opens
 * six connections to a host, and a stream in each of twenty tabs would leave none for anything else.
 *
 * @param onNews called with why a session ended, or with the id of the one there is now
 * @returns how to stop listening
 */
export function watchSession(onNews) {
  const channel = new BroadcastChannel(NAME)
  const stopping = new AbortController()
  const tell = (news) => {
    if (stopping.signal.aborted) return
    channel.postMessage(news)
    onNews(news)
  }
  channel.onmessage = ({ data }) => onNews(data)
  navigator.locks.request(NAME, { signal: stopping.signal }, () => hold(tell, stopping.signal)).catch(() => {}) // Stopped before its turn.
  return () => {
    stopping.abort()
    channel.close()
  }
}

/** Listens to the stream until it ends or nobody wants it any more. */
function hold(tell, signal) {
  return new Promise((resolve) => {
    const events = new EventSource(`${BFF}/auth/events`, { withCredentials: true })
    const leave = () => {
      events.close()
      resolve()
    }
    events.addEventListener('session', ({ data }) => tell({ sessionId: JSON.parse(data).session_id }))
    events.addEventListener('ended', ({ data }) => {
      leave()
      tell({ reason: JSON.parse(data).reason })
    })
    // Refused, and the browser will not try again: most likely the session was over before the stream began.
    events.addEventListener('error', () => {
      if (events.readyState !== EventSource.CLOSED) return
      leave()
      setTimeout(tell, REFUSED_MS, { reason: 'logout' })
    })
    signal.addEventListener('abort', leave)
  })
}

/** Tells the other tabs what this one has just done: the stream that would tell them may have been its own. */
export function tellEnded(reason) {
  const channel = new BroadcastChannel(NAME)
  channel.postMessage({ reason })
  channel.close()
}
