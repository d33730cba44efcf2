const BFF = document.querySelector('meta[name="bff"]').content
const SPA = document.querySelector('meta[name="spa"]').content

/** Id of the app in APPS. */
const APP = 'demo'

const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
const createSecret = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

/** What a real app keeps in Keychain or Keystore; here one tab of the browser plays one phone. */
const storage = {
  read: (name) => JSON.parse(sessionStorage.getItem(name) ?? 'null'),
  write: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
  remove: (name) => sessionStorage.removeItem(name),
}

function findPhone() {
  const phone = storage.read('phone') ?? createSecret()
  storage.write('phone', phone)
  return phone
}

/** An answer of the BFF that is a failure, or none at all. */
export class AppFailure extends Error {
  constructor(code, description, errorId) {
    super(description)
    this.code = code
    this.errorId = errorId
  }
}

/** Sends through the phone's own HTTP client, which a page cannot be: see native-client.ts. */
function send(path, { body, headers, ...init }) {
  const token = storage.read('session')?.token
  return fetch(`/native${path}`, {
    ...init,
    headers: { 'x-phone': findPhone(), ...headers, ...(token && { authorization: `Bearer ${token}` }) },
    ...(body && { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new AppFailure('network', 'The phone has no connection.')
  })
}

/** Calls the BFF. */
async function call(path, { method = 'GET', body } = {}) {
  const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) }
  const response = await send(path, { method, body, headers })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const { error = 'unknown', error_description: description = 'That did not work.', error_id: errorId } = answer
  throw new AppFailure(error, description, errorId)
}

/**
 * Opens the system's browser (RFC 8252 §6). The verifier stays here; its hash goes with the request, so that the code in
 * the deep link is worth nothing to another app that caught it.
 *
 * @param mode `cookie` or `token`: how the app will keep its session
 */
export async function openSignIn(mode) {
  const [verifier, state] = [createSecret(), createSecret()]
  storage.write('pending', { verifier, state, mode })
  storage.write('mode', mode)
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  const query = new URLSearchParams({
    app: APP,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    state,
  })
  location.assign(`${BFF}/auth/start?${query}`)
}

/**
 * Takes what a deep link brought. One that this app did not ask for is dropped unread: someone else may have sent it, to
 * sign this phone in as somebody it is not.
 *
 * @returns the session view
 * @throws {AppFailure} also with what the sign-in ended in, such as `access_denied`
 */
export async function acceptDeepLink(parameters) {
  const pending = storage.read('pending')
  if (pending === null || parameters.get('state') !== pending.state) throw new AppFailure('foreign_link')
  storage.remove('pending') // One answer for each request, whatever it is.
  const error = parameters.get('error')
  if (error !== null) throw new AppFailure(error)
  const { verifier, mode } = pending
  const body = { code: parameters.get('code') ?? '', code_verifier: verifier, session: mode }
  const { session_token: token, ...view } = await call('/auth/handoff', { method: 'POST', body })
  storage.write('session', { mode, ...(token && { token }) })
  return view
}

export const readSession = () => call('/auth/session')

/**
 * Follows the events of the session while the app is open.
 *
 * @param onEnded called with the reason when the session was ended, here or elsewhere
 */
export async function followSession(onEnded, signal) {
  const response = await send('/auth/events', { signal, headers: { accept: 'text/event-stream' } })
  if (!response.ok) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (let text = ''; ; ) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (text + value).split('\n\n')
    text = blocks.pop()
    const ended = blocks.map((block) => /^event: ended\ndata: (.*)$/.exec(block)?.[1]).find(Boolean)
    if (ended !== undefined) onEnded(JSON.parse(ended).reason)
  }
}

export const callApi = () => call('/api/demo/hello')

/** What was chosen the last time. */
export const readLastMode = () => storage.read('mode') ?? 'cookie'

/** How the session is kept: `cookie` or `token`. */
export const readMode = () => storage.read('session')?.mode

/** @returns where the system's browser can end its session with Oten too, or null */
export async function signOut() {
  const { logout_url: logoutUrl } = await call('/auth/logout', { method: 'POST', body: { return_to: `${SPA}/` } })
  storage.remove('session')
  return logoutUrl
}

/** Forgets a session that is over. */
export const forgetSession = () => storage.remove('session')
