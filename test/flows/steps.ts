import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Answer, Browser, RequestOptions } from '../support/browser.ts'
import type { World } from '../support/world.ts'

/** A sign-in that has been at the IdP: the browser, and the address it is about to open. */
export interface AtCallback {
  readonly browser: Browser
  readonly url: URL
  /** The same callback once more, with the cookies of before. */
  replay(): Promise<Answer>
}

interface SignInOptions {
  readonly browser?: Browser
  readonly login?: string
  readonly action?: 'allow' | 'deny'
  /** Of `/auth/start`. */
  readonly query?: string
}

export async function reachCallback(world: World, options: SignInOptions = {}): Promise<AtCallback> {
  const { browser = openBrowser(world), login = 'ada', action = 'allow', query = '' } = options
  const started = await browser.fetch(`/auth/start?${query}`)
  const url = new URL(await browser.passIdp(String(started.json().authorization_url), login, action))
  const cookie = await browser.jar.getCookieString(url.href)
  const replay = () => sendPlain(world, url.href, { headers: { accept: 'text/html', cookie } })
  return { browser, url, replay }
}

/** The same address with other parameters; `undefined` takes one away. */
export function withParameters(url: URL, parameters: Readonly<Record<string, string | undefined>>): string {
  const changed = new URL(url)
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) changed.searchParams.delete(name)
    else changed.searchParams.set(name, value)
  }
  return changed.href
}

/** How often a code was redeemed, or tried. */
export const countTokenRequests = ({ simulator }: World): number =>
  simulator.stats.tokenRequests.authorization_code ?? 0

/** The claims of the request object in an authorization URL. */
export function readRequestObject(authorizationUrl: string): Record<string, unknown> {
  const [, payload = ''] = (new URL(authorizationUrl).searchParams.get('request') ?? '').split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>
}

/** A `Set-Cookie` line, its attributes in lower case. */
export function parseSetCookie(line: string): {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
} {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const [name = '', value = ''] = pair.split('=')
  const attributes = rest.map((part): [string, string] => {
    const [key = '', of = ''] = part.split('=')
    return [key.toLowerCase(), of]
  })
  return { name, value, attributes: new Map(attributes) }
}

/** What a program that is no browser sends: no header that it was not given. (Node's `fetch` adds and overwrites some.) */
export function sendPlain(
  { publicUrl }: Pick<World, 'publicUrl'>,
  path: string,
  { method = 'GET', headers = {}, body }: RequestOptions = {},
): Promise<Answer> {
  const url = new URL(path, publicUrl)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body.toString())) }
  const sent = request(url, { method, headers: { ...length, ...headers }, agent: false }, (response) => {
    text(response).then((received) => resolve(toAnswer(response, received, url)), reject)
  })
  sent.on('error', reject)
  sent.end(body?.toString())
  return promise
}

function toAnswer({ statusCode = 0, headersDistinct }: IncomingMessage, received: string, url: URL): Answer {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value)
  }
  const location = headers.get('location')
  return {
    status: statusCode,
    headers,
    location: location === null ? null : new URL(location, url).href,
    setCookies: headers.getSetCookie(),
    text: received,
    json: () => JSON.parse(received) as Record<string, unknown>,
  }
}

/** A browser whose navigations say that they are some: Node's `fetch` writes its own `Sec-Fetch-Mode` over it. */
export function openBrowser(world: World): Browser {
  const browser = world.browser()
  browser.navigate = async (path, { method = 'GET', headers = {}, body } = {}) => {
    const url = new URL(path, world.publicUrl).href
    const cookie = await browser.jar.getCookieString(url)
    const answer = await sendPlain(world, url, {
      method,
      headers: {
        accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        'sec-fetch-site': 'none',
        ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(cookie !== '' && { cookie }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    })
    for (const line of answer.setCookies) await browser.jar.setCookie(line, url, { ignoreError: true })
    return answer
  }
  return browser
}
