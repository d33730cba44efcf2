import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildService, CANARIES, newSession, PUBLIC_URL } from '../plugins/build-service.ts'

type Headers = Readonly<Record<string, string>>

/** As script of our own page asks; a frame's document could be read by the page around it. */
const BY_SCRIPT: readonly Headers[] = [
  { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-origin' },
]
const BY_NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'same-origin' }

/** Signs out, and goes on to the IdP in the way that the headers say. */
async function build(t: TestContext, idToken: string) {
  const { inject, plant, time, cookieName } = await buildService(t)
  return async (headers: Headers) => {
    const cookie = `${cookieName}=${await plant({ tokens: { ...newSession(time.now).tokens, idToken } })}`
    const page = { cookie, origin: PUBLIC_URL, 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' }
    const out = await inject({ method: 'POST', url: '/auth/logout', headers: page })
    const { logout_url: url } = out.json() as { logout_url: string }
    assert.doesNotMatch(out.body, /canary/)
    return inject({ url: url.replace(PUBLIC_URL, ''), headers: { ...headers, cookie } })
  }
}

for (const [what, idToken] of [
  ['short', CANARIES.idToken],
  ['long', CANARIES.idToken.repeat(200)],
] as const) {
  test(`contract §6: script that fetches the way to the sign-out at the IdP is shown nothing of a ${what} ID token`, async (t) => {
    const goOn = await build(t, idToken)
    for (const headers of BY_SCRIPT) {
      // What a redirect's `Location` says is hidden from script; what is in a body is not.
      assert.doesNotMatch((await goOn(headers)).body, /canary/, JSON.stringify(headers))
    }
    const { headers, body } = await goOn(BY_NAVIGATION)
    assert.match(`${headers.location} ${body}`, /canary-id-token/, 'the browser itself carries it on')
  })
}
