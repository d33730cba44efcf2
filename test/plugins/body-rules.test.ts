import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APP_QUERY, buildService, PUBLIC_URL, VERIFIER } from './build-service.ts'

const errorOf = (answer: { json(): unknown }): string => (answer.json() as { error: string }).error

test('CS-07: the handoff takes application/json alone; what a form or a page without preflight can send is 415', async (t) => {
  const { inject, signIn } = await buildService(t)
  const code = new URL((await signIn({ query: APP_QUERY })).headers.location ?? '').searchParams.get('code')
  const payload = JSON.stringify({ code, code_verifier: VERIFIER })
  const types = [
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
    'application/jsonp',
    'application/json-patch+json',
    'application/json, text/plain',
    'application',
    '*/*',
    'x',
  ]
  for (const type of types) {
    const answer = await inject({ method: 'POST', url: '/auth/handoff', headers: { 'content-type': type }, payload })
    assert.equal(answer.statusCode, 415, type)
    assert.equal(errorOf(answer), 'unsupported_media_type')
  }
  for (const type of [undefined, '']) {
    const headers = type === undefined ? {} : { 'content-type': type }
    const answer = await inject({ method: 'POST', url: '/auth/handoff', headers, payload: Buffer.from(payload) })
    assert.equal(answer.statusCode, 415, 'no content type')
  }
  const headers = { 'content-type': 'application/json; charset=utf-8' }
  assert.equal((await inject({ method: 'POST', url: '/auth/handoff', headers, payload })).statusCode, 200, 'not burnt')
})

test('CS-07: logout takes JSON or a form, and nothing else', async (t) => {
  const { inject, plant, sessions, cookieName } = await buildService(t)
  for (const [type, payload, status] of [
    ['text/plain', '{}', 415],
    ['multipart/form-data; boundary=x', '--x--', 415],
    ['application/xml', '<a/>', 415],
    ['application/json', '{}', 200],
    ['application/x-www-form-urlencoded', 'return_to=%2F', 200],
  ] as const) {
    const credential = await plant()
    const cookie = `${cookieName}=${credential}`
    const headers = { 'content-type': type, origin: PUBLIC_URL, 'sec-fetch-mode': 'cors', cookie }
    const answer = await inject({ method: 'POST', url: '/auth/logout', headers, payload })
    assert.equal(answer.statusCode, status, type)
    assert.equal((await sessions.find(credential)) === undefined, status === 200, `${type}: ended`)
  }
})

test('CS-07: a method-override header or field is ignored', async (t) => {
  const { inject, plant, sessions, cookieName } = await buildService(t)
  const credential = await plant()
  for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override']) {
    const headers = { [name]: 'POST', origin: PUBLIC_URL, cookie: `${cookieName}=${credential}` }
    assert.equal((await inject({ url: '/auth/logout?_method=POST', headers })).statusCode, 405)
    const answer = await inject({ method: 'POST', url: '/auth/session', headers: { ...headers, [name]: 'GET' } })
    assert.equal(answer.statusCode, 405)
  }
  assert.ok(await sessions.find(credential))
})

test('ER-07: a body beyond 64 KiB is 413, one just below is read', async (t) => {
  const { inject } = await buildService(t)
  const send = (length: number) => {
    const body = JSON.stringify({ code: 'x', code_verifier: '' })
    const payload = body.replace('""', `"${'v'.repeat(length - body.length)}"`)
    assert.equal(payload.length, length)
    return inject({ method: 'POST', url: '/auth/handoff', headers: { 'content-type': 'application/json' }, payload })
  }
  const tooLarge = await send(65_537)
  assert.equal(tooLarge.statusCode, 413)
  assert.equal(errorOf(tooLarge), 'payload_too_large')
  assert.equal((await send(65_536)).statusCode, 400)
})

test('ER-07: a body that is no JSON, not the right JSON, or in another charset is 400 and says nothing of it', async (t) => {
  const { inject } = await buildService(t)
  const bodies = [
    '',
    '{',
    '{"code":"canary"',
    'canary',
    '[]',
    'null',
    '"canary"',
    '{"code":"a","code_verifier":"b","more":"canary"}',
    '{"code":1,"code_verifier":"b"}',
    '{"code":"a","code_verifier":"b","session":"canary"}',
    '{"__proto__":{"canary":1},"code":"a","code_verifier":"b"}',
    Buffer.from('{"code":"canary","code_verifier":"b"}', 'utf16le'),
    Buffer.from([0xff, 0xfe, 0x00]),
  ]
  for (const payload of bodies) {
    const headers = { 'content-type': 'application/json' }
    const answer = await inject({ method: 'POST', url: '/auth/handoff', headers, payload })
    assert.equal(answer.statusCode, 400, String(payload))
    assert.equal(errorOf(answer), 'invalid_request')
    assert.doesNotMatch(answer.body, /canary/)
  }
})

test('ER-01, HC-06: an address under another method is 405 and names the right ones; an unknown one is 404', async (t) => {
  const { inject } = await buildService(t)
  for (const [url, allow] of [
    ['/auth/start', 'GET'],
    ['/auth/callback?code=x', 'GET'],
    ['/auth/session', 'GET'],
    ['/auth/handoff', 'POST'],
    ['/auth/logout', 'POST'],
    ['/auth/jwks.json', 'GET'],
    ['/api/x/1', 'DELETE, GET, HEAD, PATCH, POST, PUT'],
  ] as const) {
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const
    for (const method of methods.filter((name) => !allow.split(', ').includes(name))) {
      const answer = await inject({ method, url })
      assert.equal(answer.statusCode, 405, `${method} ${url}`)
      assert.equal(answer.headers.allow, allow)
      if (method !== 'HEAD') assert.equal(errorOf(answer), 'method_not_allowed')
    }
  }
  for (const url of [
    '/',
    '/auth',
    '/auth/',
    '/auth/session/',
    '/auth/sessionx',
    '/AUTH/session',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/auth/verify',
    '/admin/sessions/end',
    '/api',
    '/apix/1',
    '/*',
  ]) {
    for (const method of ['GET', 'POST'] as const) {
      const answer = await inject({ method, url })
      assert.equal(answer.statusCode, 404, `${method} ${url}`)
      assert.equal(errorOf(answer), 'not_found')
      assert.equal(answer.headers.allow, undefined)
    }
  }
})
