import { type IncomingMessage, type RequestOptions, request, type ServerResponse } from 'node:http'

/** The header by which a page of the phone names itself: no other site can send it without a preflight, which fails. */
const PHONE_HEADER = 'x-phone'
const PHONES_MAX = 1000

/** What a native app's HTTP client passes on of a page's request. */
const PASSED_ON = ['authorization', 'content-type', 'accept'] as const

/** Where an app calls: the rest of the service is for browsers. */
const CALLABLE = /^\/(?:auth\/(?:handoff|session|events|logout|refresh)|api\/[a-z0-9/-]+)$/

/** The cookies of one phone. A real one would keep `Path`, `Expires` and the rest; there is one server here. */
type CookieJar = Map<string, string>

/**
 * Plays the HTTP client inside a mobile app: it keeps cookies where no page can read them, and sends none of the headers
 * (`Origin`, `Sec-Fetch-…`) by which browsers say who is asking.
 *
 * @param prefix path below which the page reaches it; the rest of the path is the service's
 */
export function createNativeClient({ bffUrl, prefix }: { readonly bffUrl: string; readonly prefix: string }) {
  const jars = new Map<string, CookieJar>()

  return (req: IncomingMessage, res: ServerResponse): void => {
    const phone = req.headers[PHONE_HEADER]
    const target = new URL((req.url ?? '').slice(prefix.length), bffUrl)
    if (typeof phone !== 'string' || !/^[\w-]{16,64}$/.test(phone)) {
      refuse(res, 400, 'This is not a phone.')
      return
    }
    if (target.origin !== bffUrl || !CALLABLE.test(target.pathname)) {
      refuse(res, 404, 'Apps do not call this.')
      return
    }

    const jar = findJar(jars, phone)
    const options = { method: req.method ?? 'GET', headers: buildHeaders(req, jar) }
    const forwarded = request(target, options, (answer) => {
      for (const line of answer.headers['set-cookie'] ?? []) store(jar, line)
      const { 'content-type': type, 'retry-after': retryAfter } = answer.headers
      res.writeHead(answer.statusCode ?? 502, {
        'content-type': type ?? 'text/plain',
        'cache-control': 'no-store',
        ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
      })
      // A stream of events may end at any time; anything else that breaks off must not pass for whole.
      const isStream = type?.startsWith('text/event-stream') === true
      answer.on('error', () => (isStream ? res.end() : res.destroy()))
      answer.pipe(res)
    })
    res.on('close', () => forwarded.destroy()) // A page that goes takes its stream along.
    forwarded.on('error', () => refuse(res, 502, 'The phone has no connection to the service.'))
    req.pipe(forwarded)
  }
}

function findJar(jars: Map<string, CookieJar>, phone: string): CookieJar {
  const known = jars.get(phone)
  if (known !== undefined) return known
  const [oldest] = jars.keys()
  if (jars.size >= PHONES_MAX && oldest !== undefined) jars.delete(oldest)
  const jar: CookieJar = new Map()
  jars.set(phone, jar)
  return jar
}

function buildHeaders(req: IncomingMessage, jar: CookieJar): NonNullable<RequestOptions['headers']> {
  const passed = PASSED_ON.flatMap((name) => (req.headers[name] === undefined ? [] : [[name, req.headers[name]]]))
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  return {
    ...Object.fromEntries(passed),
    'user-agent': 'DemoPhone/1.0',
    ...(cookie !== '' && { cookie }),
    ...(req.headers['content-length'] !== undefined && { 'content-length': req.headers['content-length'] }),
  }
}

function store(jar: CookieJar, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const at = pair.indexOf('=')
  if (at < 1) return
  const isGone = attributes.some((attribute) => /^max-age=(0|-.*)$/i.test(attribute))
  if (isGone) jar.delete(pair.slice(0, at))
  else jar.set(pair.slice(0, at), pair.slice(at + 1))
}

function refuse(res: ServerResponse, status: number, description: string): void {
  if (res.headersSent) return void res.destroy()
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  res.end(JSON.stringify({ error: 'phone', error_description: description }))
}
