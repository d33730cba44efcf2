import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL, readRequestObject } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { headerOf, parseAnswers, type RawAnswer, sendRaw } from './raw.ts'
import { echoToken } from './surfaces.ts'

/** What some system somewhere believes about how, for whom and to what address a request came. */
const LIES = [
  'Forwarded: for=127.0.0.1;host=evil.example;proto=http',
  'X-Forwarded-Host: evil.example',
  'X_Forwarded_Host: evil.example',
  'X-Forwarded-Host: bff.example.com, evil.example',
  'X-Forwarded-Host: evil.example\tbff.example.com',
  'X-Forwarded-Server: evil.example',
  'X-Forwarded-Proto: http',
  'X-Forwarded-Protocol: http',
  'X-Forwarded-Scheme: http',
  'X-Forwarded-Ssl: off',
  'Front-End-Https: off',
  'X-Url-Scheme: http',
  'X-Forwarded-Port: 1',
  'X-Forwarded-Prefix: //evil.example',
  'X-Forwarded-Prefix: /auth/jwks.json',
  'X-Forwarded-Path: /auth/jwks.json',
  'X-Forwarded-Uri: /auth/jwks.json',
  'X_Forwarded_Uri: /auth/jwks.json',
  'X-Forwarded-Method: OPTIONS',
  'X-Original-Uri: /auth/jwks.json',
  'X-Original-Url: /auth/jwks.json',
  'X-Original-Method: OPTIONS',
  'X-Original-Host: evil.example',
  'X-Rewrite-Url: /auth/jwks.json',
  'X-Http-Method-Override: OPTIONS',
  'X-Host: evil.example',
  'X-Script-Name: /evil',
  'Base-Url: https://evil.example',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-For: ::1',
  'X-Real-Ip: 127.0.0.1',
  'X-Client-Ip: 127.0.0.1',
  'True-Client-Ip: 127.0.0.1',
  'X-Envoy-External-Address: 127.0.0.1',
  'X-Auth-Subject: admin',
  'X_Auth_Subject: admin',
  'X-Auth-Email: admin@example.com',
  'X-Auth-Request-User: admin',
  'X-Forwarded-User: admin',
  'X-Forwarded-Access-Token: forged',
  'Remote-User: admin',
  'User-Agent: GoogleHC/1.0',
  'User-Agent: kube-probe/1.30',
  'User-Agent: ELB-HealthChecker/2.0',
  'Early-Data: 1',
  'Via: 1.1 evil.example',
]

async function build(t: TestContext, trusted: boolean) {
  const env = { RATE_LIMIT_PER_MINUTE: '0', ...(trusted && { TRUSTED_PROXIES: '127.0.0.1' }) }
  const proxy = await buildProxy(t, echoToken, { env })
  await proxy.service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port: adminPort } = proxy.service.admin.server.address() as AddressInfo
  const send = async (port: number, line: string, lines: readonly string[], host = 'Host: evil.example') => {
    const octets = await sendRaw(port, [`${line} HTTP/1.1`, host, ...lines, 'Connection: close', '', ''].join('\r\n'))
    return parseAnswers(octets)[0] ?? assert.fail(line)
  }
  return { ...proxy, adminPort, send }
}

/** What an answer tells of where we are: addresses and cookies. */
function assertOurs(answer: RawAnswer, what: string): void {
  assert.doesNotMatch(JSON.stringify(answer), /evil\.example|"http:|forged|Path=\/[^;"]/, what)
  for (const [name, value] of answer.headers) {
    if (name !== 'set-cookie') continue
    assert.match(value, /^__Host-Http-oten_(session|tx_.{8})=.*; Path=\/; .*HttpOnly.*Secure/, what)
    assert.doesNotMatch(value, /domain=/i, what)
  }
}

for (const trusted of [false, true]) {
  const from = trusted ? 'a trusted proxy' : 'anybody'
  test(`addresses and cookies come from PUBLIC_URL, though ${from} says otherwise in the very first request`, async (t) => {
    const { port, send } = await build(t, trusted)
    for (const lie of [LIES.join('\r\n'), ...LIES]) {
      const started = await send(port, 'GET /auth/start?response=json', [lie])
      assert.equal(started.status, 200, lie)
      assertOurs(started, lie)
      const url = String(JSON.parse(started.body).authorization_url)
      assert.ok(url.startsWith('https://idp.example.net/authorize?'), lie)
      assert.equal(readRequestObject(url).redirect_uri, `${PUBLIC_URL}/auth/callback`, lie)
      const navigated = await send(port, 'GET /auth/start', [
        lie,
        'Sec-Fetch-Mode: navigate',
        'Sec-Fetch-Dest: document',
      ])
      assert.ok(headerOf(navigated, 'location')?.startsWith('https://idp.example.net/authorize?'), lie)
      assertOurs(navigated, lie)
      const back = await send(port, 'GET /auth/logged-out?state=x', [lie])
      assert.deepEqual([back.status, headerOf(back, 'location')], [303, '/'], lie)
    }
  })

  test(`a sign-out leads to our address, whatever ${from} says about it`, async (t) => {
    const { service, port, send } = await build(t, trusted)
    for (const lie of LIES) {
      const cookie = `Cookie: ${service.cookieName}=${await service.plant()}`
      const answer = await send(port, 'POST /auth/logout', [
        lie,
        cookie,
        `Origin: ${PUBLIC_URL}`,
        'Accept: application/json',
      ])
      assert.equal(answer.status, 200, lie)
      assertOurs(answer, lie)
      assert.ok(JSON.parse(answer.body).logout_url.startsWith(`${PUBLIC_URL}/auth/logout/continue?ticket=`), lie)
    }
  })

  test(`nobody gets in by what ${from} says about another path, method, user, address or health check`, async (t) => {
    const { port, adminPort, send } = await build(t, trusted)
    for (const lie of [LIES.join('\r\n'), ...LIES]) {
      assert.equal((await send(port, 'GET /api/x/1', [lie])).status, 401, lie)
      assert.equal((await send(port, 'GET /auth/sessions', [lie])).status, 401, lie)
      assert.match((await send(port, 'GET /auth/session', [lie])).body, /"authenticated":false/, lie)
      const asked = await send(adminPort, 'GET /auth/verify', [lie])
      assert.equal(asked.status, 401, lie)
      assert.equal(headerOf(asked, 'x-auth-subject'), undefined, lie)
      for (const path of ['/auth/verify', '/health/live', '/admin/sessions/end']) {
        assert.equal((await send(port, `GET ${path}`, [lie])).status, 404, `${path} from outside: ${lie}`)
      }
    }
  })
}
