import { CookieJar } from 'tough-cookie'
import { type Dispatcher, request as send } from 'undici'
import { assertDocumented } from './documented.ts'

/** What a browser adds to a navigation from another site's page or a typed address. */
const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
} as const

export interface RequestOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | URLSearchParams
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly location: string | null
  readonly setCookies: readonly string[]
  readonly text: string
  json(): Record<string, unknown>
}

/** A user agent with a cookie jar that never follows a redirect by itself, so that a test sees each step. */
export interface Browser {
  readonly jar: CookieJar
  request(url: string, options?: RequestOptions): Promise<Answer>
  /** As when the address changes. */
  navigate(url: string, options?: RequestOptions): Promise<Answer>
  /** As a page of `origin` calls with credentials. */
  fetch(url: string, options?: RequestOptions & { readonly origin?: string }): Promise<Answer>
  /** Navigates, and signs in or cancels at the IdP; the last answer is the redirect back to the service. */
  passIdp(authorizationUrl: string, login: string, action?: 'allow' | 'deny'): Promise<string>
  /** The whole way by fetch: start, IdP, callback. @returns the callback's answer */
  signIn(login: string, query?: string): Promise<Answer>
  session(): Promise<Record<string, unknown>>
  cookie(name: string): Promise<string | undefined>
}

export function createBrowser(publicUrl: string): Browser {
  const jar = new CookieJar(undefined, { allowSpecialUseDomain: true })

  const request = async (
    target: string,
    { method = 'GET', headers = {}, body }: RequestOptions = {},
  ): Promise<Answer> => {
    const url = new URL(target, publicUrl).href
    const cookie = await jar.getCookieString(url)
    // Not `fetch`: Node's says `sec-fetch-mode: cors` whatever it is told, and a test of navigations would test none.
    const response = await send(url, {
      method: method as Dispatcher.HttpMethod, // Or any other that a test tries.
      headers: {
        ...(cookie !== '' && { cookie }),
        ...(body instanceof URLSearchParams && { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
        ...(typeof body === 'string' && { 'content-type': 'text/plain;charset=UTF-8' }),
        ...headers,
      },
      body: body?.toString() ?? null,
    })
    const received = toHeaders(response.headers)
    const setCookies = received.getSetCookie()
    for (const line of setCookies) await jar.setCookie(line, url, { ignoreError: true })
    const text = await response.body.text()
    const location = received.get('location')
    if (url.startsWith(`${publicUrl}/`)) {
      const contentType = received.get('content-type')
      assertDocumented(method, new URL(url).pathname, { status: response.statusCode, contentType, text })
    }
    return {
      status: response.statusCode,
      headers: received,
      location: location === null ? null : new URL(location, url).href,
      setCookies,
      text,
      json: () => JSON.parse(text) as Record<string, unknown>,
    }
  }

  const browser: Browser = {
    jar,
    request,
    navigate: (url, options = {}) => request(url, { ...options, headers: { ...NAVIGATION, ...options.headers } }),
    fetch: (url, { origin, ...options } = {}) => {
      const isSame = origin === undefined
      const needsOrigin = !isSame || (options.method ?? 'GET') !== 'GET'
      return request(url, {
        ...options,
        headers: {
          accept: '*/*',
          'sec-fetch-mode': 'cors',
          'sec-fetch-dest': 'empty',
          'sec-fetch-site': isSame ? 'same-origin' : 'same-site',
          ...(needsOrigin && { origin: origin ?? publicUrl }),
          ...options.headers,
        },
      })
    },
    passIdp: (authorizationUrl, login, action = 'allow') => passIdp(browser, authorizationUrl, login, action),
    async signIn(login, query = '') {
      const started = await browser.fetch(`/auth/start?${query}`)
      if (started.status !== 200) return started
      const callback = await browser.passIdp(String(started.json().authorization_url), login)
      return browser.navigate(callback)
    },
    session: async () => (await browser.fetch('/auth/session')).json(),
    cookie: async (name) => (await jar.getCookies(publicUrl)).find(({ key }) => key === name)?.value,
  }
  return browser
}

/** Follows the IdP's own redirects, fills its one form, and stops at the address that lies outside of it. */
async function passIdp(browser: Browser, authorizationUrl: string, login: string, action: string): Promise<string> {
  const idpOrigin = new URL(authorizationUrl).origin
  let url = authorizationUrl
  for (let hop = 0; hop < 10; hop++) {
    let answer = await browser.navigate(url)
    if (answer.status === 200 && answer.text.includes('<form')) {
      const form = /<form[^>]*action="([^"]+)"/.exec(answer.text)?.[1] ?? url
      answer = await browser.navigate(new URL(form, url).href, {
        method: 'POST',
        body: new URLSearchParams({ login, action }),
      })
    }
    if (answer.location === null) throw new Error(`the IdP answered ${answer.status}: ${readPage(answer.text)}`)
    if (new URL(answer.location).origin !== idpOrigin) return answer.location
    url = answer.location
  }
  throw new Error('the IdP redirects without end')
}

/** What a person would read on a page. */
function readPage(html: string): string {
  return html
    .replace(/<style>.*?<\/style>|<[^>]*>/gs, ' ')
    .replace(/\s+/g, ' ')
    .slice(0, 1000)
}

function toHeaders(wire: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(wire)) for (const line of [value ?? []].flat()) headers.append(name, line)
  return headers
}
