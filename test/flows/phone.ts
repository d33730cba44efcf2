import { hash, randomBytes } from 'node:crypto'
import type { Answer, Browser } from '../support/browser.ts'
import type { World } from '../support/world.ts'
import { openBrowser, sendPlain } from './steps.ts'

/** An app on a phone, its HTTP client without a cookie jar, and the system browser that it opens. */
export interface Phone {
  readonly browser: Browser
  readonly verifier: string
  readonly challenge: string
  /** Opens `/auth/start` in the system browser. @returns its answer */
  open(overrides?: Readonly<Record<string, string>>): Promise<Answer>
  /** From the app to the IdP and back. @returns the callback's answer and the deep link that it opens */
  signIn(login: string, action?: 'allow' | 'deny'): Promise<Returned>
  /** Redeems a code with this phone's verifier. */
  redeem(code: string, overrides?: Readonly<Record<string, unknown>>): Promise<Answer>
  /** A call with a session token. */
  call(token: string, path?: string, method?: string): Promise<Answer>
}

export interface Returned {
  readonly answer: Answer
  readonly link: URL
  /** The handoff code; empty when the link has none. */
  readonly code: string
}

interface PhoneOptions {
  readonly app?: string
  readonly state?: string
  readonly browser?: Browser
}

export function createPhone(world: World, options: PhoneOptions = {}): Phone {
  const { app = 'android', state = 'state-of-the-app', browser = openBrowser(world) } = options
  const verifier = randomBytes(32).toString('base64url')
  const challenge = hash('sha256', verifier, 'base64url')
  const parameters = { app, code_challenge: challenge, code_challenge_method: 'S256', state }

  const phone: Phone = {
    browser,
    verifier,
    challenge,
    open: (overrides = {}) => browser.navigate(`/auth/start?${new URLSearchParams({ ...parameters, ...overrides })}`),
    async signIn(login, action) {
      const started = await phone.open()
      const callback = await browser.passIdp(String(started.location), login, action)
      return readReturned(await browser.navigate(callback))
    },
    redeem: (code, overrides = {}) =>
      sendPlain(world, '/auth/handoff', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, code_verifier: verifier, ...overrides }),
      }),
    call: (token, path = '/auth/session', method = 'GET') =>
      sendPlain(world, path, { method, headers: { authorization: `Bearer ${token}` } }),
  }
  return phone
}

export function readReturned(answer: Answer): Returned {
  const link = new URL(String(answer.location))
  return { answer, link, code: link.searchParams.get('code') ?? '' }
}
