import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APP_QUERY, buildService, setCookiesOf, VERIFIER } from './build-service.ts'

/** `name=value; A; B=c` → its name and value, and its attributes in lower case. */
function parseSetCookie(line: string): { name: string; value: string; attributes: Map<string, string> } {
  const [pair = '', ...rest] = line.split(';').map((part) => part.trim())
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const [name = '', value = ''] = part.split('=')
      return [name.toLowerCase(), value]
    }),
  )
  return { name: pair.slice(0, pair.indexOf('=')), value: pair.slice(pair.indexOf('=') + 1), attributes }
}

const HTTP = { PUBLIC_URL: 'http://localhost:8080' }

for (const [scheme, env, prefix] of [
  ['https', {}, '__Host-Http-'],
  ['plain-http localhost', HTTP, ''],
] as const) {
  test(`SC-01, SC-02: the cookies of a sign-in on ${scheme} have exactly the stated names and attributes`, async (t) => {
    const { inject, signIn } = await buildService(t, { env })
    const secure: [string, string][] = prefix === '' ? [] : [['secure', '']]

    const [transaction, ...others] = setCookiesOf(await inject({ url: '/auth/start' })).map(parseSetCookie)
    assert.equal(others.length, 0)
    assert.match(transaction?.name ?? '', new RegExp(`^${prefix}oten_tx_[A-Za-z0-9_-]{8}$`))
    const { 'max-age': lifetime, ...rest } = Object.fromEntries(transaction?.attributes ?? [])
    assert.ok(Number(lifetime) > 0 && Number(lifetime) <= 600)
    assert.deepEqual(rest, Object.fromEntries([['httponly', ''], ['path', '/'], ['samesite', 'Lax'], ...secure]))

    const answer = await signIn()
    const [cleared, session] = setCookiesOf(answer).map(parseSetCookie)
    assert.match(cleared?.name ?? '', new RegExp(`^${prefix}oten_tx_`))
    assert.equal(session?.name, `${prefix}oten_session`)
    assert.match(session?.value ?? '', /^[A-Za-z0-9_-]{32,64}$/)
    assert.deepEqual(
      Object.fromEntries(session?.attributes ?? []),
      Object.fromEntries([['max-age', '43200'], ['httponly', ''], ['path', '/'], ['samesite', 'Strict'], ...secure]),
    )
  })
}

for (const [mode, attribute] of [
  ['strict', 'Strict'],
  ['lax', 'Lax'],
  ['none', 'None'],
] as const) {
  test(`SC-02: SESSION_SAME_SITE=${mode} is said in the session cookie alone; only none is Partitioned`, async (t) => {
    const { inject, signIn } = await buildService(t, { env: { SESSION_SAME_SITE: mode } })
    const [started] = setCookiesOf(await inject({ url: '/auth/start' })).map(parseSetCookie)
    assert.equal(started?.attributes.get('samesite'), 'Lax')
    assert.equal(started?.attributes.has('partitioned'), false)
    const [, session] = setCookiesOf(await signIn()).map(parseSetCookie)
    assert.equal(session?.attributes.get('samesite'), attribute)
    assert.equal(session?.attributes.has('partitioned'), mode === 'none')
    const dead = await inject({ url: '/auth/session', headers: { cookie: '__Host-Http-oten_session=x' } })
    const [cleared] = setCookiesOf(dead).map(parseSetCookie)
    assert.equal(cleared?.attributes.get('samesite'), attribute)
    assert.equal(cleared?.attributes.has('partitioned'), mode === 'none')
  })
}

test('SC-01: the Max-Age of a session cookie is the absolute limit, for apps their own', async (t) => {
  const env = { SESSION_MAX_S: '7200', APP_SESSION_MAX_S: '8640000' }
  const { inject, signIn } = await buildService(t, { env })
  const [, session] = setCookiesOf(await signIn()).map(parseSetCookie)
  assert.equal(session?.attributes.get('max-age'), '7200')

  const toApp = await signIn({ query: APP_QUERY })
  const code = new URL(toApp.headers.location ?? '').searchParams.get('code')
  const payload = { code, code_verifier: VERIFIER }
  const [own, ...others] = setCookiesOf(await inject({ method: 'POST', url: '/auth/handoff', payload })).map(
    parseSetCookie,
  )
  assert.equal(others.length, 0)
  assert.equal(own?.attributes.get('max-age'), '8640000')
  assert.deepEqual([...(own?.attributes.keys() ?? [])].sort(), ['httponly', 'max-age', 'path', 'samesite', 'secure'])
})

test('SC-12: a cookie is deleted by the name, path and Secure that it was set with, and Max-Age=0', async (t) => {
  const { inject, signIn, plant, cookieName, config } = await buildService(t)
  const [transaction] = setCookiesOf(await inject({ url: '/auth/start' })).map(parseSetCookie)
  const success = setCookiesOf(await signIn()).map(parseSetCookie)
  const failure = setCookiesOf(
    await inject({ url: '/auth/callback?state=unknown&code=x', headers: { cookie: 'a=b' } }),
  ).map(parseSetCookie)
  const logout = setCookiesOf(
    await inject({
      method: 'POST',
      url: '/auth/logout',
      headers: { cookie: `${cookieName}=${await plant()}`, origin: config.publicUrl },
    }),
  ).map(parseSetCookie)
  assert.equal(success.length, 2)
  for (const cleared of [success[0], failure[0], logout[0]]) {
    assert.ok(cleared)
    assert.equal(cleared.value, '')
    assert.equal(cleared.attributes.get('max-age'), '0')
    assert.equal(cleared.attributes.get('path'), '/')
    assert.ok(cleared.attributes.has('secure') && cleared.attributes.has('httponly'))
    assert.ok(!cleared.attributes.has('domain'))
  }
  assert.match(failure[0]?.name ?? '', /^__Host-Http-oten_tx_/)
  assert.equal(logout[0]?.name, cookieName)
  assert.equal(transaction?.attributes.get('path'), success[0]?.attributes.get('path'))
})

test('SC-07: cookies stay small whatever the user claims to be, and there are few of them', async (t) => {
  const { signIn } = await buildService(t, {
    idp: {
      redeemCode: async () => ({
        idTokenClaims: { sub: 'u'.repeat(255), name: 'n'.repeat(20_000) } as never,
        accessToken: 'a'.repeat(20_000),
        accessTokenExpiresAt: 4_000_000_000,
        idToken: 'i'.repeat(20_000),
        scope: 'openid',
      }),
    },
  })
  const lines = setCookiesOf(await signIn())
  assert.equal(lines.length, 2)
  for (const line of lines) {
    const { name, value } = parseSetCookie(line)
    assert.ok(name.length + value.length <= 128)
  }
})

test('contract §3: at most twenty sign-ins in flight per browser: the oldest make room, all under 2 kB', async (t) => {
  const { inject, time } = await buildService(t)
  const jar = new Map<string, string>()
  const started: string[] = []
  for (let at = 0; at < 30; at++) {
    time.now += 1
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await inject({ url: '/auth/start?response=json', headers: { cookie } })
    for (const { name, value, attributes } of setCookiesOf(answer).map(parseSetCookie)) {
      if (attributes.get('max-age') === '0') jar.delete(name)
      else {
        jar.set(name, value)
        started.push(name)
      }
    }
    assert.ok(jar.size <= 20)
    assert.ok([...jar].map(([name, value]) => `${name}=${value}; `).join('').length <= 2048)
  }
  assert.deepEqual([...jar.keys()], started.slice(-20))
})

test('a transaction cookie that is sent twice opens nothing', async (t) => {
  const { signIn } = await buildService(t)
  const alone = await signIn()
  assert.equal(alone.statusCode, 303)
  const { inject } = await buildService(t)
  const started = await inject({ url: '/auth/start?response=json' })
  const [cookie] = started.cookies
  const url = new URL((started.json() as { authorization_url: string }).authorization_url)
  const { state } = JSON.parse(
    Buffer.from(url.searchParams.get('request')?.split('.')[1] ?? '', 'base64url').toString(),
  ) as { state: string }
  const pair = `${cookie?.name}=${cookie?.value}`
  const headers = { cookie: `${pair}; ${cookie?.name}=0.planted` }
  const answer = await inject({ url: `/auth/callback?code=x&state=${state}`, headers })
  assert.equal(answer.statusCode, 400)
})
