import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone, type Phone } from '../flows/phone.ts'
import { openBrowser, parseSetCookie, sendPlain } from '../flows/steps.ts'
import type { Answer } from '../support/browser.ts'
import { createWorld, SPA } from '../support/world.ts'

const COOKIE = 'oten_session'

const isAlive = async (phone: Phone, token: unknown): Promise<unknown> =>
  (await phone.call(String(token))).json().authenticated

/** All that a caller can see of a failure, apart from what names the one request. */
const visible = ({ status, headers, text }: Answer) => ({
  status,
  headers: [...headers].filter(([name]) => !['date', 'content-length'].includes(name)),
  text: text.replace(/"error_id":"[^"]+"/, '"error_id":""'),
})

test('MH-05: a code is good for 60 seconds', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const [early, late] = [await phone.signIn('ada'), await phone.signIn('ada')]
  world.advance(55)
  assert.equal((await phone.redeem(early.code)).status, 200)
  world.advance(5)
  assert.equal((await phone.redeem(late.code)).status, 400)
})

test('MH-05: the store knows the code by its hash alone', async (t) => {
  const world = await createWorld(t)
  const { code } = await createPhone(world).signIn('ada')
  let count = 0
  for await (const key of world.store.scan('')) {
    count += 1
    assert.ok(!`${key}${await world.store.get(key)}`.includes(code))
  }
  assert.ok(count > 0)
})

test("MH-05: another app's verifier does not open a code, and burns it", async (t) => {
  const world = await createWorld(t)
  const [phone, other] = [createPhone(world), createPhone(world, { app: 'ios' })]
  const { code } = await phone.signIn('ada')
  assert.equal((await other.redeem(code)).status, 400)
  assert.equal((await phone.redeem(code)).status, 400)
})

for (const [what, verifier] of [
  ['wrong', () => 'w'.repeat(43)],
  ['of 42 characters', () => 'w'.repeat(42)],
  ['of 129 characters', () => 'w'.repeat(129)],
  ['of 5000 characters', () => 'w'.repeat(5000)],
  ['empty', () => ''],
  ['the challenge', (phone: Phone) => phone.challenge],
  ['the right one with a character more', (phone: Phone) => `${phone.verifier}x`],
] as const) {
  test(`MH-06: a verifier that is ${what} burns the code`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world)
    const { code } = await phone.signIn('ada')
    assert.equal((await phone.redeem(code, { code_verifier: verifier(phone) })).json().error, 'invalid_grant')
    assert.equal((await phone.redeem(code)).json().error, 'invalid_grant')
  })
}

test('MH-06: every failure is the same 400 invalid_grant, to the byte', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const [wrong, used, expired] = [await phone.signIn('ada'), await phone.signIn('ada'), await phone.signIn('ada')]
  const answers = [await phone.redeem(wrong.code, { code_verifier: 'w'.repeat(43) })]
  await phone.redeem(used.code)
  world.advance(61)
  for (const code of [wrong.code, used.code, used.code, expired.code, 'x'.repeat(43), 'x', '', 'x'.repeat(5000)]) {
    answers.push(await phone.redeem(code))
  }
  answers.push(await phone.redeem(expired.code, { session: 'token' }), await phone.redeem('__proto__'))
  const [first] = answers
  assert.equal(first?.status, 400)
  assert.equal(first?.json().error, 'invalid_grant')
  for (const answer of answers) assert.deepEqual(visible(answer), visible(first as Answer))
})

for (const [what, body] of [
  ['without a code', { code: undefined }],
  ['without a verifier', { code_verifier: undefined }],
  ['with a number for a code', { code: 1 }],
  ['with a list of codes', { code: ['a', 'b'] }],
  ['with an unknown kind of session', { session: 'both' }],
  ['with a member that we do not know', { app: 'ios' }],
] as const) {
  test(`a redemption ${what} is 400 invalid_request and leaves the code alone`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world)
    const { code } = await phone.signIn('ada')
    assert.equal((await phone.redeem(code, body)).json().error, 'invalid_request')
    assert.equal((await phone.redeem(code)).status, 200)
  })
}

test('MH-06: GET is 405, and a code in the URL is not looked at', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const query = new URLSearchParams({ code, code_verifier: phone.verifier })
  const get = await sendPlain(world, `/auth/handoff?${query}`)
  assert.equal(get.status, 405)
  assert.equal(get.headers.get('allow'), 'POST')
  const post = await sendPlain(world, `/auth/handoff?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  assert.equal(post.status, 400)
  assert.equal((await phone.redeem(code)).status, 200)
})

for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'text/plain; application/json', 'x/y']) {
  test(`CS-07: a redemption as ${type} is 415`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world)
    const { code } = await phone.signIn('ada')
    const body = JSON.stringify({ code, code_verifier: phone.verifier })
    const headers = { 'content-type': type }
    const answer = await sendPlain(world, '/auth/handoff', { method: 'POST', headers, body })
    assert.equal(answer.status, 415)
    assert.equal((await phone.redeem(code)).status, 200)
  })
}

test('MH-07: a second redemption fails and ends the session of the first, in both kinds', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const token = (await phone.redeem(code, { session: 'token' })).json().session_token
  assert.equal(await isAlive(phone, token), true)
  assert.equal((await createPhone(world).redeem(code)).status, 400)
  assert.equal(await isAlive(phone, token), false)

  const second = await phone.signIn('ada')
  const [line = ''] = (await phone.redeem(second.code)).setCookies
  const headers = { cookie: line.split(';', 1)[0] ?? '' }
  assert.equal((await sendPlain(world, '/auth/session', { headers })).json().authenticated, true)
  await phone.redeem(second.code)
  assert.equal((await sendPlain(world, '/auth/session', { headers })).json().authenticated, false)
})

test('MH-07: of 20 redemptions at once none leaves a live session', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const answers = await Promise.all(Array.from({ length: 20 }, () => phone.redeem(code, { session: 'token' })))
  const tokens = answers.map((answer) => answer.json().session_token).filter((token) => token !== undefined)
  assert.ok(tokens.length <= 1)
  for (const token of tokens) assert.equal(await isAlive(phone, token), false)
  for await (const key of world.store.scan('session:')) assert.fail(`${key} is left`)
})

test('MH-07: a second redemption while the session of the first is being made leaves both without one', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const set = world.store.set.bind(world.store)
  const second: Answer[] = []
  t.mock.method(world.store, 'set', async (...parameters: Parameters<typeof set>) => {
    if (parameters[0].startsWith('session:') && second.length === 0) second.push(await phone.redeem(code))
    return set(...parameters)
  })
  const first = await phone.redeem(code, { session: 'token' })
  assert.deepEqual([first.status, second[0]?.status], [400, 400])
  assert.equal(first.json().error, 'invalid_grant')
  for await (const key of world.store.scan('session:')) assert.fail(`${key} is left`)
})

test('MH-13: the session cookie is that of an app: HttpOnly, for the absolute limit of apps', async (t) => {
  const world = await createWorld(t, { env: { APP_SESSION_MAX_S: '7200', APP_SESSION_IDLE_S: '600' } })
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const answer = await phone.redeem(code)
  const { name, value, attributes } = parseSetCookie(String(answer.setCookies))
  assert.equal(name, COOKIE)
  assert.ok(value.length >= 43 && value.length <= 64)
  assert.deepEqual(Object.fromEntries(attributes), {
    'max-age': '7200',
    path: '/',
    httponly: '',
    samesite: 'Strict',
  })
  assert.equal(answer.json().expires_in, 7200)
  assert.equal(answer.json().idle_expires_in, 600)
  assert.ok(!answer.text.includes(value))
})

test('MH-13: a token is no cookie, a cookie is no token, and neither is taken from elsewhere', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const token = String(
    (await phone.redeem((await phone.signIn('ada')).code, { session: 'token' })).json().session_token,
  )
  const cookie = parseSetCookie(String((await phone.redeem((await phone.signIn('ada')).code)).setCookies)).value
  const browser = openBrowser(world)
  await browser.signIn('ada')
  const browserCookie = await browser.cookie(COOKIE)
  const ask = async (headers: Record<string, string>, query = '') =>
    (await sendPlain(world, `/auth/session${query}`, { headers })).json().authenticated

  assert.equal(await ask({ authorization: `Bearer ${token}` }), true)
  assert.equal(await ask({ cookie: `${COOKIE}=${cookie}` }), true)
  assert.equal(await ask({ cookie: `${COOKIE}=${token}` }), false)
  assert.equal(await ask({ authorization: `Bearer ${cookie}` }), false)
  assert.equal(await ask({ authorization: `Bearer ${browserCookie}` }), false)
  assert.equal(await ask({ authorization: token }), false)
  assert.equal(await ask({}, `?access_token=${token}&session_token=${token}`), false)
})

test('MH-13: a session token is shown once and not again', async (t) => {
  const world = await createWorld(t)
  const phone = createPhone(world)
  const answer = await phone.redeem((await phone.signIn('ada')).code, { session: 'token' })
  const token = String(answer.json().session_token)
  assert.match(token, /^t_[A-Za-z0-9_-]{43}$/)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.ok(!(await phone.call(token)).text.includes(token))
  assert.ok(!world.logs.join('').includes(token))
})

for (const [origin, status] of [
  [SPA, 200],
  ['https://evil.example', 403],
  ['null', 403],
  [`${SPA}.evil.example`, 403],
  [SPA.replace('http', 'https'), 403],
  ['http://localhost:5174', 403],
  ['capacitor://localhost', 403],
] as const) {
  test(`MH-14: a redemption from Origin ${origin} is ${status}`, async (t) => {
    const world = await createWorld(t)
    const phone = createPhone(world)
    const { code } = await phone.signIn('ada')
    const body = JSON.stringify({ code, code_verifier: phone.verifier })
    const headers = { 'content-type': 'application/json', origin }
    const answer = await sendPlain(world, '/auth/handoff', { method: 'POST', headers, body })
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('access-control-allow-origin'), status === 200 ? origin : null)
    assert.equal((await phone.redeem(code)).status, status === 200 ? 400 : 200, 'a refused call does not burn the code')
  })
}

test('MH-14: a hybrid app is let in by its listed origin', async (t) => {
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: 'capacitor://localhost' } })
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const answer = await sendPlain(world, '/auth/handoff', {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: 'capacitor://localhost' },
    body: JSON.stringify({ code, code_verifier: phone.verifier, session: 'token' }),
  })
  assert.equal(answer.status, 200)
})
