import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { parseAnswers, sendRaw } from './raw.ts'

/** What every object has, or is made by: a name of it looked up in a plain object is found. */
const INHERITED = [...Object.getOwnPropertyNames(Object.prototype), 'prototype', 'then', 'toJSON', 'length', '0']

async function build(t: TestContext) {
  const proxy = await buildProxy(t, (incoming, answer) => {
    incoming.resume()
    answer.end('{}')
  })
  const mine = [`Cookie: ${proxy.mine.cookie}`, `Origin: ${PUBLIC_URL}`]
  const send = async (line: string, lines: readonly string[], body = '') => {
    const framed = body === '' ? [] : [`Content-Length: ${body.length}`]
    const octets = [`${line} HTTP/1.1`, 'Host: a', ...lines, ...framed, 'Connection: close', '', body]
    return parseAnswers(await sendRaw(proxy.port, octets.join('\r\n')))[0] ?? assert.fail(line)
  }
  return { ...proxy, mine, send }
}

test('names that every object inherits are no parameters, cookies, headers, types or paths of ours', async (t) => {
  const { send, mine, service } = await build(t)
  for (const name of INHERITED) {
    for (const [line, lines, status] of [
      [`GET /auth/session?${name}=x`, mine, 200],
      [`GET /auth/session?${name}=x&${name}=y&${name}[${name}]=z`, mine, 200],
      [`GET /auth/start?response=json&${name}=x`, [], 200],
      [`GET /auth/start?response=json&app=${name}`, [], 400],
      [`GET /auth/session`, [...mine, `${name}: x`], 200],
      [`GET /api/x/1`, [...mine, `${name}: x`], 200],
      [`GET /api/x/1`, [...mine, `Connection: ${name}`], 200],
      [`GET /auth/session`, [`Cookie: ${name}=x; ${mine[0]?.slice(8)}; ${name}`], 200],
      [`GET /auth/session`, [`Cookie: ${service.cookieName}=${name}`], 200],
      [`GET /auth/${name}`, [], 404],
      [`GET /${name}`, [], 404],
      [`GET /api/${name}`, mine, 404],
      [`DELETE /auth/sessions/${name}`, mine, 404],
      [`GET /auth/session`, [`Origin: ${name}`], 200],
      [`GET /auth/session`, [`Authorization: ${name} x`, `Accept: ${name}`], 200],
    ] as const) {
      const answer = await send(line, lines)
      assert.equal(answer.status, status, `${line} with ${lines.at(-1)}`)
    }
  }
})

test('an object that names its prototype in a body changes no object of ours, and is refused', async (t) => {
  const { send, mine } = await build(t)
  const json = 'Content-Type: application/json'
  for (const member of [
    '"__proto__":{"polluted":1}',
    '"constructor":{"prototype":{"polluted":1}}',
    '"__proto__":null',
  ]) {
    const bodies = [`{${member}}`, `{"code":"x","code_verifier":"y",${member}}`, `{"return_to":"/",${member}}`]
    for (const body of bodies) {
      for (const path of ['/auth/handoff', '/auth/logout']) {
        const { status } = await send(`POST ${path}`, path === '/auth/logout' ? [...mine, json] : [json], body)
        assert.equal(status, 400, `${path} ${body}`)
      }
    }
  }
  const form = 'Content-Type: application/x-www-form-urlencoded'
  const { status } = await send('POST /auth/backchannel-logout', [form], '__proto__=x&logout_token=y')
  assert.equal(status, 400)
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.match((await send('GET /auth/session', mine)).body, /"authenticated":true/)
})

test('a credential that cannot be decoded is none, and no failure of ours', async (t) => {
  const { send, service, mine } = await build(t)
  for (const value of [
    '%',
    '%E0%A4%A',
    '%00',
    '%ff%fe',
    '\u00ff\u00fe',
    '=',
    ';',
    '"',
    'a b',
    'j:{"a":1}',
    '{}',
    'e30.e30.e30',
    'x'.repeat(8000),
  ]) {
    const withToken = await send('GET /auth/session', [`Authorization: Bearer ${value}`])
    assert.deepEqual([withToken.status, withToken.body], [200, '{"authenticated":false}'], value)
    const withCookie = await send('GET /auth/session', [`Cookie: ${service.cookieName}=${value}`])
    assert.deepEqual([withCookie.status, withCookie.body], [200, '{"authenticated":false}'], value)
    assert.equal((await send('GET /api/x/1', [`Authorization: Bearer ${value}`])).status, 401)
    const state = await send(`GET /auth/callback?state=${encodeURIComponent(value)}&code=x`, [])
    assert.equal(state.status, 400, value)
  }
  for (const cookie of [
    '',
    ';',
    ';;;=',
    '=',
    '=x',
    'x',
    'x;y;z',
    `${service.cookieName}`,
    `${service.cookieName};`,
    `${'a=1;'.repeat(3000)}`,
  ]) {
    assert.equal((await send('GET /auth/session', [`Cookie: ${cookie}`])).status, 200, cookie.slice(0, 40))
  }
  assert.match((await send('GET /auth/session', mine)).body, /"authenticated":true/, 'and the service lives')
})
