import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { BffError } from '../../src/errors.ts'
import { buildService, type Service, storeDown } from './build-service.ts'

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' }
const JSON_TYPE = { 'content-type': 'application/json' }
const BREAK = 'canary stack /etc/passwd a=b SESSION_KEYS=canary'

/** One call per failure that can be had without another service, each with the status and code it must have. */
async function callAll({ inject, store }: Service) {
  const answers: { name: string; answer: Awaited<ReturnType<Service['inject']>>; status: number; code: string }[] = []
  const call = async (status: number, code: string, options: InjectOptions & { url: string }): Promise<void> => {
    answers.push({ name: `${options.method ?? 'GET'} ${options.url}`, answer: await inject(options), status, code })
  }
  await call(400, 'invalid_request', { url: '/auth/start?redirect_uri=canary&response=json' })
  await call(400, 'invalid_request', { url: '/auth/start?return_to=//canary.example&response=json' })
  await call(400, 'invalid_request', {
    url: '/auth/callback?code=canary&state=canary',
    headers: { accept: 'application/json' },
  })
  await call(400, 'invalid_request', { url: '/auth/session?touch=canary' })
  await call(400, 'invalid_request', { url: '/auth/%ffcanary' })
  await call(400, 'invalid_request', { url: '/auth/session?canary=%f' })
  await call(400, 'invalid_request', { url: `/auth/session?${'canary'.repeat(2000)}` })
  await call(400, 'invalid_grant', {
    method: 'POST',
    url: '/auth/handoff',
    payload: { code: 'canary', code_verifier: 'canary' },
  })
  await call(401, 'unauthenticated', { url: '/api/x/canary' })
  await call(403, 'forbidden_origin', {
    method: 'POST',
    url: '/auth/logout',
    headers: { origin: 'https://canary.example' },
  })
  await call(404, 'not_found', { url: '/auth/canary' })
  await call(405, 'method_not_allowed', { method: 'PUT', url: '/auth/session?canary' })
  await call(413, 'payload_too_large', {
    method: 'POST',
    url: '/auth/handoff',
    headers: JSON_TYPE,
    payload: `"${'canary'.repeat(20_000)}"`,
  })
  await call(415, 'unsupported_media_type', {
    method: 'POST',
    url: '/auth/handoff',
    headers: { 'content-type': 'text/canary' },
    payload: 'canary',
  })
  store.fault = new TypeError(BREAK)
  await call(500, 'server_error', { url: '/auth/session', headers: { authorization: `Bearer t_${'c'.repeat(43)}` } })
  store.fault = storeDown()
  await call(503, 'store_unavailable', {
    url: '/auth/session',
    headers: { authorization: `Bearer t_${'c'.repeat(43)}` },
  })
  store.fault = undefined
  return answers
}

test('ER-01, ER-02: every failure has the one shape, its own status and code, and nothing of what was sent or broke', async (t) => {
  const service = await buildService(t)
  for (const { name, answer, status, code } of await callAll(service)) {
    assert.equal(answer.statusCode, status, name)
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8', name)
    const body = answer.json() as Record<string, string>
    assert.deepEqual(Object.keys(body).sort(), ['error', 'error_description', 'error_id'], name)
    assert.equal(body.error, code, name)
    assert.match(body.error_description ?? '', /^[A-Z][A-Za-z ',.-]+\.$/)
    assert.doesNotMatch(
      answer.body + JSON.stringify(answer.headers),
      /canary|passwd|SESSION_KEYS|node_modules|\n\s*at |\.ts\b/,
      name,
    )
    assert.equal(answer.headers['cache-control'], 'no-store', name)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', name)
  }
})

test('ER-01, LG-02: the error id is the request id of the log, and no two are alike', async (t) => {
  const service = await buildService(t)
  const answers = await callAll(service)
  const ids = answers.map(({ answer }) => (answer.json() as { error_id: string }).error_id)
  assert.equal(new Set(ids).size, ids.length)
  for (const [at, id] of ids.entries()) {
    const lines = service.entries().filter(({ request_id: requestId }) => requestId === id)
    const refused = lines.find(({ event }) => event === 'refused' || event === 'failed')
    assert.ok(refused, answers[at]?.name)
    assert.ok(refused.reason ?? refused.err, 'the reason is in the log')
  }
})

test('ER-01: a caller cannot choose the request id', async (t) => {
  const { inject } = await buildService(t)
  const headers = { 'request-id': 'canary', 'x-request-id': 'canary', 'x-correlation-id': 'canary' }
  assert.doesNotMatch((await inject({ url: '/nowhere', headers })).body, /canary/)
})

test('contract §8: 429 and 503 carry Retry-After in whole seconds, others do not', async (t) => {
  const service = await buildService(t, {
    env: { RATE_LIMIT_PER_MINUTE: '1' },
    idp: { metadata: { get: async () => Promise.reject(new BffError('idp_unavailable', 'down')) } as never },
  })
  const down = await service.inject({ url: '/auth/start?response=json' })
  assert.equal(down.statusCode, 503)
  assert.equal((down.json() as { error: string }).error, 'idp_unavailable')
  const limited = await service.inject({ url: '/auth/start?response=json' })
  assert.equal(limited.statusCode, 429)
  assert.equal((limited.json() as { error: string }).error, 'rate_limited')
  for (const answer of [down, limited]) assert.match(String(answer.headers['retry-after']), /^[1-9][0-9]?$/)
  for (const { answer, status } of await callAll(service)) {
    const waits = status === 503 || answer.statusCode === 429
    assert.equal(answer.headers['retry-after'] !== undefined, waits)
  }
})

test('HC-06: the wrong method is 405 with Allow, whatever the method and the body', async (t) => {
  const { inject } = await buildService(t)
  const bodies: InjectOptions[] = [
    {},
    { headers: JSON_TYPE, payload: '{"not json' },
    { headers: { 'content-type': 'text/canary' }, payload: 'canary' },
    { headers: JSON_TYPE, payload: `"${'canary'.repeat(20_000)}"` },
  ]
  for (const method of ['PUT', 'PATCH', 'QUERY', 'PURGE', 'LINK'] as const) {
    for (const body of bodies) {
      const answer = await inject({ url: '/auth/session', ...body, method: method as 'PUT' })
      assert.equal(answer.statusCode, 405, method)
      assert.equal(answer.headers.allow, 'GET')
      assert.equal((await inject({ url: '/nowhere', ...body, method: method as 'PUT' })).statusCode, 404, method)
    }
  }
})

test('ER-04: a fetch without a session is 401 with a challenge that opens no prompt, and never a redirect', async (t) => {
  const { inject } = await buildService(t)
  for (const headers of [{}, NAVIGATION, { 'sec-fetch-mode': 'cors' }, { accept: 'text/html' }]) {
    const answer = await inject({ url: '/api/x/1', headers })
    assert.equal(answer.statusCode, 401)
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
    assert.equal(answer.headers.location, undefined)
  }
})

test('ER-05: a navigation that fails gets a page with that status, without a word of the caller, and an error id', async (t) => {
  const { inject, store } = await buildService(t)
  const hostile = encodeURIComponent('"><script>canary()</script>')
  const ask = async (url: string, status: number, headers: object = {}): Promise<void> => {
    const answer = await inject({ url, headers: { ...NAVIGATION, ...headers } })
    assert.equal(answer.statusCode, status, url)
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(answer.body, /^<!doctype html>/)
    assert.match(answer.body, /Error id: <code>[a-z0-9-]+<\/code>/)
    assert.doesNotMatch(answer.body, /canary|<script/)
    assert.match(answer.body, /href="\/auth\/start"/)
  }
  for (const name of ['redirect_uri', 'prompt', 'app', 'return_to', 'login_hint%0d%0a', 'state']) {
    await ask(`/auth/start?${name}=${hostile}`, name.startsWith('login') ? 303 : 400).catch((error: unknown) => {
      if (!name.startsWith('login')) throw error
    })
  }
  for (const name of ['state', 'code', 'error', 'error_description', 'iss']) {
    await ask(`/auth/callback?state=s&${name}=${hostile}`, 400)
  }
  await ask('/auth/callback?%zz', 400)
  await ask('/auth/start', 403, { 'sec-fetch-dest': 'iframe' })
  store.fault = storeDown()
  await ask('/auth/start', 503)
  await ask('/auth/logged-out?state=x', 503)
  store.fault = new Error(BREAK)
  await ask('/auth/start', 500)
})

test('ER-05: a fetch that fails, or whoever asked for JSON, gets JSON', async (t) => {
  const { inject } = await buildService(t)
  for (const [url, headers] of [
    ['/auth/start?prompt=bad', { 'sec-fetch-mode': 'cors' }],
    ['/auth/start?prompt=bad', { accept: 'application/json' }],
    ['/auth/start?prompt=bad&response=json', {}],
    ['/auth/start?prompt=bad&response=json', NAVIGATION],
    ['/auth/callback?state=x', { 'sec-fetch-mode': 'cors' }],
  ] as const) {
    const answer = await inject({ url, headers })
    assert.equal(answer.statusCode, 400)
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8', `${url} ${JSON.stringify(headers)}`)
  }
})

test('ER-06: an unknown, a used, an expired and a forged state, and a missing cookie, look the same', async (t) => {
  const { inject, time } = await buildService(t)
  const start = async () => {
    const started = await inject({ url: '/auth/start?response=json' })
    const jwt = new URL((started.json() as { authorization_url: string }).authorization_url).searchParams.get('request')
    const claims = JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString()) as { state: string }
    const [cookie] = started.cookies
    return { state: claims.state, cookie: `${cookie?.name}=${cookie?.value}` }
  }
  const answer = async (state: string, cookie: string) => {
    const got = await inject({
      url: `/auth/callback?code=c&state=${state}`,
      headers: { cookie, accept: 'application/json' },
    })
    const { error_id: _id, ...body } = got.json() as Record<string, string>
    const { date: _date, 'set-cookie': setCookie, 'content-length': _length, ...headers } = got.headers
    return { status: got.statusCode, body, headers, cookies: String(setCookie).replace(/oten_tx_.{8}/, 'oten_tx_') }
  }
  const [used, expired, forged] = [await start(), await start(), await start()]
  await inject({ url: `/auth/callback?code=c&state=${used.state}`, headers: { cookie: used.cookie } })
  const outcomes = [
    await answer('unknown', used.cookie),
    await answer(used.state, used.cookie),
    await answer(forged.state, ''),
    await answer(forged.state, forged.cookie.replace(/=.*/, '=0.forged')),
  ]
  time.now += 601
  outcomes.push(await answer(expired.state, expired.cookie))
  for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0])
  assert.equal(outcomes[0]?.status, 400)
})

test('ER-03: the handoff speaks OAuth: application/json, a code of the OAuth set, a description', async (t) => {
  const { inject } = await buildService(t)
  for (const [payload, error] of [
    [{ code: 'x', code_verifier: 'y' }, 'invalid_grant'],
    [{ code: 'x' }, 'invalid_request'],
  ] as const) {
    const answer = await inject({
      method: 'POST',
      url: '/auth/handoff',
      headers: { origin: 'capacitor://localhost' },
      payload,
    })
    assert.equal(answer.statusCode, 400)
    assert.match(String(answer.headers['content-type']), /^application\/json/)
    assert.equal((answer.json() as { error: string }).error, error)
  }
})
