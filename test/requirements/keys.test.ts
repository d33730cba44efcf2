import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { type TestContext, test } from 'node:test'
import { createPhone, readReturned } from '../flows/phone.ts'
import { openBrowser, readRequestObject } from '../flows/steps.ts'
import { createWorld, type World } from '../support/world.ts'

const ADMIN_TOKEN = 'an-admin-token-of-more-than-thirty-two-octets'

/** Every secret that the service makes in a browser's sign-in and an app's, by its name. */
async function collectSecrets(world: World): Promise<Map<string, string>> {
  const browser = openBrowser(world)
  const started = await browser.fetch('/auth/start')
  const url = String(started.json().authorization_url)
  const { state, nonce, jti, code_challenge: challenge } = readRequestObject(url)
  const transaction = (await browser.jar.getCookies(world.publicUrl))[0]?.value.split('.')[1]
  await browser.navigate(await browser.passIdp(url, 'ada'))
  const session = await browser.cookie('oten_session')
  const logout = await browser.fetch('/auth/logout', { method: 'POST' })
  const ticket = new URL(String(logout.json().logout_url)).searchParams.get('ticket')
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const token = (await phone.redeem(code, { session: 'token' })).json().session_token
  const secrets = { state, nonce, jti, challenge, transaction, session, ticket, code, token }
  return new Map(Object.entries(secrets).map(([name, value]) => [name, String(value)]))
}

test('KY-10: with a Math.random that always says the same, no secret comes twice', async (t) => {
  t.mock.method(Math, 'random', () => 0.5)
  const seen = new Set<string>()
  for (let round = 0; round < 2; round++) {
    const secrets = await collectSecrets(await createWorld(t))
    for (const [name, secret] of secrets) {
      assert.ok(secret.length >= 22, `${name} has 128 bits`)
      assert.ok(!seen.has(secret), `${name} came before`)
      seen.add(secret)
    }
  }
  assert.equal(seen.size, 18)
})

/** Tells what was compared in constant time, also by modules that took the function by its name. */
function watchComparisons(t: TestContext): (octets: Buffer) => boolean {
  const { mock } = t.mock.method(crypto, 'timingSafeEqual')
  syncBuiltinESMExports()
  t.after(() => {
    mock.restore()
    syncBuiltinESMExports()
  })
  return (octets) =>
    mock.calls.some(({ arguments: sides }) => sides.some((side) => side instanceof Uint8Array && octets.equals(side)))
}

const digest = (text: string): Buffer => crypto.createHash('sha256').update(text).digest()

test("KY-10: a nonce, an app's verifier and the admin token are compared in constant time", async (t) => {
  const world = await createWorld(t, { env: { ADMIN_TOKEN } })
  const wasCompared = watchComparisons(t)
  const phone = createPhone(world)
  const started = await phone.open()
  const nonce = Buffer.from(String(readRequestObject(String(started.location)).nonce))
  const callback = await phone.browser.passIdp(String(started.location), 'ada')
  assert.equal(wasCompared(nonce), false)
  const { code } = readReturned(await phone.browser.navigate(callback))
  assert.ok(wasCompared(nonce), 'the nonce')

  const wrong = 'w'.repeat(43)
  assert.equal((await phone.redeem(code, { code_verifier: wrong })).status, 400)
  assert.ok(wasCompared(digest(wrong)), 'the verifier, by its hash')

  const headers = { authorization: 'Bearer wrong-admin-token', 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: '{"all":true}' }
  assert.equal((await fetch(`${world.adminUrl}/admin/sessions/end`, init)).status, 401)
  assert.ok(wasCompared(digest('wrong-admin-token')), 'the admin token, by its hash')
})
