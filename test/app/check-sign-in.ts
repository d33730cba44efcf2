import { readHandoff } from '../../examples/expo/protocol/answers.ts'
import { judgeDeepLink } from '../../examples/expo/protocol/deep-link.ts'
import type { Credential } from '../../examples/expo/protocol/requests.ts'
import type { Service } from '../../examples/expo/protocol/service.ts'
import type { SessionKind } from '../../examples/expo/protocol/sign-in.ts'
import type { Check } from '../../src/doctor/check.ts'
import type { Examined } from './examine.ts'
import { expect, judge } from './fault.ts'
import { createPhone, type Phone, type Received, type Returned, readSessionCookies } from './phone.ts'

/** A session that an app has got. */
export interface AppSession {
  readonly kind: SessionKind
  readonly phone: Phone
  readonly credential: Credential
  /** The token, or the cookie as it is sent. */
  readonly value: string
}

const REPORT = 'look for the error id in the log of the service; a bug, unless a proxy in between changes answers'

/** From the start to the session, line by line. @returns undefined when there is no session in the end */
export async function* checkSignIn(
  { service, login }: Examined,
  kind: SessionKind,
): AsyncGenerator<Check, AppSession | undefined> {
  const phone = createPhone(service, login)
  let returned: Returned | undefined
  yield await judge(
    `${kind}: sign-in`,
    'let the IdP be the simulator, which has the form that this check fills in',
    async () => {
      returned = await phone.signIn(kind)
      checkAuthorizationUrl(returned)
      return 'the browser went to the IdP and back'
    },
  )
  if (returned === undefined) return undefined
  const { signIn, link } = returned
  yield await judge(`${kind}: deep link`, REPORT, async () => checkLink(service, link))
  yield await judge(`${kind}: state`, REPORT, async () => {
    const state = URL.parse(link)?.searchParams.get('state')
    expect(state === signIn.state, 'did not come back as it was sent', REPORT)
    return 'came back as it was sent'
  })
  yield await judge(`${kind}: browser`, REPORT, () => checkBrowser(phone, service))
  let session: AppSession | undefined
  yield await judge(`${kind}: handoff`, REPORT, async () => {
    const verdict = judgeDeepLink(service, signIn, link)
    expect(
      verdict.kind === 'redeem',
      'the app drops that deep link, so there is no code to redeem',
      'see the lines above',
    )
    session = readSession(kind, phone, await phone.redeem(signIn, verdict.code), service)
    return kind === 'token'
      ? 'the token is in the answer, and no cookie'
      : 'the cookie is set, and no token in the answer'
  })
  return session
}

function checkAuthorizationUrl({ authorizationUrl }: Returned): void {
  const names = [...new URL(authorizationUrl).searchParams.keys()].sort().join(', ')
  expect(names === 'client_id, request', `the IdP is sent ${names} where client_id and request are enough`, REPORT)
}

function checkLink({ deepLink }: Service, link: string): string {
  const begins = `${deepLink}${deepLink.includes('?') ? '&' : '?'}`
  expect(
    link.startsWith(begins),
    'the browser opens another link than the one that the app waits for',
    'let --deep-link, the app and APPS have the same link, to the letter',
  )
  const names = [...new URLSearchParams(link.slice(begins.length)).keys()].sort().join(', ')
  expect(names === 'code, state', `carries ${names || 'nothing'} where code and state belong`, REPORT)
  return 'is that of the app, with code and state and nothing else'
}

/** The next one who uses the browser must not be signed in by it (MH-10). */
async function checkBrowser({ systemBrowser }: Phone, { url }: Service): Promise<string> {
  const kept = readSessionCookies((await systemBrowser.jar.getCookies(url)).map((cookie) => cookie.cookieString()))
  expect(kept.length === 0, 'the system browser has got a session cookie', REPORT)
  const answer = await systemBrowser.request(`${url}/auth/session`)
  expect(answer.json().authenticated === false, 'the system browser is signed in at the service', REPORT)
  return 'no session is left in the system browser'
}

function readSession(kind: SessionKind, phone: Phone, answer: Received, { url }: Service): AppSession {
  const { credential } = readHandoff(answer, kind)
  const [line = '', ...more] = answer.setCookies.filter((each) => readSessionCookies([each]).length > 0)
  if (credential.kind === 'token') {
    expect(line === '', 'a cookie is set beside the token', REPORT)
    return { kind, phone, credential, value: credential.token }
  }
  expect(line !== '' && more.length === 0, 'no cookie is set', REPORT)
  expect(!answer.body.includes('session_token'), 'a token is in the answer beside the cookie', REPORT)
  const needed = url.startsWith('https:') ? ['httponly', 'secure'] : ['httponly']
  const attributes = line
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  expect(
    needed.every((name) => attributes.includes(name)),
    `the cookie is not ${needed.join(' and ')}`,
    REPORT,
  )
  return { kind, phone, credential, value: readSessionCookies([line])[0] ?? '' }
}
