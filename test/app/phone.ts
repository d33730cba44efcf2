import { hash, randomBytes } from 'node:crypto'
import type { Answer } from '../../examples/expo/protocol/answers.ts'
import { buildHandoff, type ServiceRequest } from '../../examples/expo/protocol/requests.ts'
import { buildChallenge } from '../../examples/expo/protocol/secrets.ts'
import type { Service } from '../../examples/expo/protocol/service.ts'
import { buildStartUrl, createSignIn, type SessionKind, type SignIn } from '../../examples/expo/protocol/sign-in.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { expect } from './fault.ts'

/** An answer as an app's HTTP client has it, with what it does not show to the app. */
export interface Received extends Answer {
  readonly setCookies: readonly string[]
}

/** A sign-in that has come back to the app. */
export interface Returned {
  readonly signIn: SignIn
  /** Where the browser was sent from `/auth/start`. */
  readonly authorizationUrl: string
  readonly link: string
}

/** A phone: the system's browser, and the app's own HTTP client with its cookies. */
export interface Phone {
  readonly systemBrowser: Browser
  readonly client: Browser
  /** From the app to the IdP's form and back. */
  signIn(kind: SessionKind, action?: 'allow' | 'deny'): Promise<Returned>
  send(request: ServiceRequest): Promise<Received>
  /** Redeems a code. */
  redeem(signIn: SignIn, code: string): Promise<Received>
}

export const randomOctets = (count: number): Uint8Array => randomBytes(count)
const sha256 = async (octets: Uint8Array): Promise<Uint8Array> => hash('sha256', octets, 'buffer')

/** A browser that is at home nowhere: what it is answered is held against no document. */
const openBrowser = (): Browser => createBrowser('about:blank')

/** @param login whoever signs in with the IdP */
export function createPhone(service: Service, login: string): Phone {
  const [systemBrowser, client] = [openBrowser(), openBrowser()]

  const phone: Phone = {
    systemBrowser,
    client,
    async signIn(kind, action = 'allow') {
      const signIn = createSignIn(kind, randomOctets)
      const url = buildStartUrl(service, signIn, await buildChallenge(signIn.verifier, sha256))
      const authorizationUrl = await openStart(systemBrowser, url)
      const callback = await systemBrowser.passIdp(authorizationUrl, login, action)
      expect(
        callback.startsWith(`${service.url}/auth/callback?`),
        'the IdP leads elsewhere than to /auth/callback of the service',
        'let PUBLIC_URL be the address under which the service is reached, and register its redirect URI',
      )
      const { status, location } = await systemBrowser.navigate(callback)
      expect(
        status === 303 && location !== null,
        `/auth/callback answered ${status} and opens no app`,
        'look for the error id of that page in the log of the service',
      )
      return { signIn, authorizationUrl, link: location }
    },
    async send({ method, url, headers, body }) {
      const answer = await client.request(url, { method, headers, ...(body !== undefined && { body }) })
      const retryAfter = answer.headers.get('retry-after') ?? undefined
      return { status: answer.status, body: answer.text, retryAfter, setCookies: answer.setCookies }
    },
    redeem: (signIn, code) => phone.send(buildHandoff(service, signIn, code)),
  }
  return phone
}

async function openStart(browser: Browser, url: string): Promise<string> {
  const { status, location } = await browser.navigate(url)
  expect(status !== 400, '/auth/start refuses the app (400)', 'name the app in APPS, and give --app the same id')
  expect(
    status === 303 && location !== null,
    `/auth/start answered ${status} where a browser is sent on with 303`,
    'see the log of the service; 503: the IdP cannot be reached, `npm run doctor` says why',
  )
  return location
}

/** The `name=value` of each `Set-Cookie` line that keeps a session. */
export const readSessionCookies = (lines: readonly string[]): string[] =>
  lines.map((line) => line.split(';')[0] ?? '').filter((pair) => /^(__Host-Http-)?oten_session=./.test(pair))
