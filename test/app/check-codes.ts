import { Failure, readHandoff, readView } from '../../examples/expo/protocol/answers.ts'
import { judgeDeepLink } from '../../examples/expo/protocol/deep-link.ts'
import { buildView } from '../../examples/expo/protocol/requests.ts'
import { createSignIn } from '../../examples/expo/protocol/sign-in.ts'
import type { Check } from '../../src/doctor/check.ts'
import type { Examined } from './examine.ts'
import { expect, judge } from './fault.ts'
import { createPhone, type Phone, type Received, type Returned, randomOctets } from './phone.ts'

const REPORT = 'update the service; a bug, unless a proxy in between answers in its place'

/** What a handoff code is good for, and what not. */
export async function* checkCodes(examined: Examined): AsyncGenerator<Check> {
  yield await judge('wrong verifier', REPORT, () => checkWrongVerifier(examined))
  yield await judge('second redemption', REPORT, () => checkSecondRedemption(examined))
  yield await judge('denial', REPORT, () => checkDenial(examined))
  if (examined.service.deepLink.startsWith(`${examined.service.url}/`)) {
    yield await judge('landing page', REPORT, () => checkLanding(examined))
  }
}

async function reachCode(phone: Phone, { service }: Examined): Promise<Returned & { readonly code: string }> {
  const returned = await phone.signIn('token')
  const verdict = judgeDeepLink(service, returned.signIn, returned.link)
  expect(verdict.kind === 'redeem', 'the deep link brings no code', 'see the lines above')
  return { ...returned, code: verdict.code }
}

/** @throws {Failure} unless it is the refusal of a code */
function expectRefused(answer: Received, when: string): void {
  try {
    readHandoff(answer, 'token')
  } catch (error) {
    if (error instanceof Failure && error.code === 'invalid_grant') return
    throw error
  }
  expect(false, `${when} the code still gives a session`, REPORT)
}

/** Whoever caught the deep link has one guess, and by it takes the code from everybody (MH-06). */
async function checkWrongVerifier(examined: Examined): Promise<string> {
  const phone = createPhone(examined.service, examined.login)
  const { signIn, code } = await reachCode(phone, examined)
  const { verifier } = createSignIn('token', randomOctets)
  expectRefused(await phone.redeem({ ...signIn, verifier }, code), 'with a wrong verifier')
  expectRefused(await phone.redeem(signIn, code), 'after a wrong verifier')
  return 'burns the code'
}

/** Two hold the code: neither may keep what it gave (MH-07). */
async function checkSecondRedemption(examined: Examined): Promise<string> {
  const { service, login } = examined
  const phone = createPhone(service, login)
  const { signIn, code } = await reachCode(phone, examined)
  const { credential } = readHandoff(await phone.redeem(signIn, code), 'token')
  expectRefused(await phone.redeem(signIn, code), 'a second time')
  const view = readView(await phone.send(buildView(service, credential)))
  expect(view === null, 'leaves the session of the first alive', REPORT)
  return 'is refused, and ends the session of the first'
}

async function checkDenial({ service, login }: Examined): Promise<string> {
  const { signIn, link } = await createPhone(service, login).signIn('token', 'deny')
  const verdict = judgeDeepLink(service, signIn, link)
  expect(
    verdict.kind === 'failed' && verdict.error === 'access_denied',
    verdict.kind === 'failed' ? `comes back as ${verdict.error}` : 'does not come back as an error with the state',
    REPORT,
  )
  return 'comes back as access_denied, with the state'
}

/** The phone opened the link in a browser, since the app is not there (MH-12). */
async function checkLanding(examined: Examined): Promise<string> {
  const phone = createPhone(examined.service, examined.login)
  const { signIn, code, link } = await reachCode(phone, examined)
  const { status, headers } = await phone.systemBrowser.navigate(link)
  expect(
    status === 200 && headers.get('content-type')?.startsWith('text/html') === true,
    `the link answered ${status} in a browser`,
    'let the proxy in front send the path of the deep link to the service, as it does /auth/',
  )
  expectRefused(await phone.redeem(signIn, code), 'after a browser has opened the link')
  return 'is shown where the app is not there, and burns the code'
}
