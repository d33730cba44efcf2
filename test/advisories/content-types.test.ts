import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { APP_QUERY, buildService, PUBLIC_URL, VERIFIER } from '../plugins/build-service.ts'
import { parseAnswers, sendRaw } from './raw.ts'

const ADMIN_TOKEN = 'an-admin-token-of-more-than-32-characters'

/** The type of JSON, as careful clients write it. */
const JSON_TYPES = [
  'application/json',
  'Application/JSON',
  'application/json;charset=utf-8',
  'application/json ; charset=UTF-8',
  'application/json; charset="utf-8"',
  ' application/json',
]

/** What passes for JSON with one reader and not with another. */
const ODD_TYPES = [
  'application/json\ta',
  'application/json\t',
  'application/json\t; charset=utf-8',
  'application/json garbage',
  'application/json;',
  'application/json;;',
  'application/json; foo',
  'application/json;charset',
  'application/json; charset=utf-7',
  'application/json; charset=utf-16',
  'application/json, text/plain',
  'text/plain, application/json',
  'text/plain; application/json',
  'application/json/x',
  'application/jsonx',
  'application/json+x',
  'application/x+json',
  'application/ld+json',
  'application/x-json',
  'text/json',
  'json',
  '/json',
  'application/',
  ';application/json',
  '"application/json"',
  'application /json',
  'application/json\u00a0',
  '*/*',
  'constructor',
  '__proto__',
  'application/__proto__',
  'hasOwnProperty/toString',
]

/** What any page may send without a preflight (Fetch standard, CORS-safelisted): never taken for JSON. */
const FORM_TYPES = [
  'text/plain',
  'TEXT/PLAIN;charset=utf-8',
  'multipart/form-data; boundary=x',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-8',
]

async function build(t: TestContext) {
  const service = await buildService(t, { env: { ADMIN_TOKEN, RATE_LIMIT_PER_MINUTE: '0' } })
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const portOf = ({ server }: typeof service.app): number => (server.address() as AddressInfo).port
  const post = async (port: number, path: string, body: string, lines: readonly string[]): Promise<number> => {
    const head = [`POST ${path} HTTP/1.1`, 'Host: a', ...lines, `Content-Length: ${Buffer.byteLength(body)}`]
    const octets = await sendRaw(port, [...head, 'Connection: close', '', body].join('\r\n'))
    return parseAnswers(octets)[0]?.status ?? 0
  }
  const handoffCode = async (): Promise<string> => {
    const answer = await service.signIn({ query: APP_QUERY })
    return new URL(String(answer.headers.location)).searchParams.get('code') ?? assert.fail()
  }
  return { service, port: portOf(service.app), adminPort: portOf(service.admin), post, handoffCode }
}

test('a body that breaks the rules of the handoff gets past them under no content type, and burns no code', async (t) => {
  const { port, post, handoffCode } = await build(t)
  const code = await handoffCode()
  const good = { code, code_verifier: VERIFIER }
  const bad = [{ ...good, session: 'root' }, { ...good, extra: 1 }, { ...good, code: [code] }, [good], null, good.code]
  for (const type of [...JSON_TYPES, ...ODD_TYPES, ...FORM_TYPES]) {
    for (const body of bad) {
      const status = await post(port, '/auth/handoff', JSON.stringify(body), [`Content-Type: ${type}`])
      assert.ok(status === 400 || status === 415, `${type}: ${status}`)
    }
  }
  assert.equal(await post(port, '/auth/handoff', JSON.stringify(good), ['Content-Type: application/json']), 200)
})

test('a right body is taken as JSON under the names of JSON alone', async (t) => {
  const { port, post, handoffCode } = await build(t)
  for (const type of JSON_TYPES) {
    const body = JSON.stringify({ code: await handoffCode(), code_verifier: VERIFIER })
    assert.equal(await post(port, '/auth/handoff', body, [`Content-Type: ${type}`]), 200, type)
  }
  const code = await handoffCode()
  const body = JSON.stringify({ code, code_verifier: VERIFIER })
  for (const type of FORM_TYPES) {
    assert.equal(await post(port, '/auth/handoff', body, [`Content-Type: ${type}`]), 415, type)
  }
  const twice = ['Content-Type: text/plain', 'Content-Type: application/json']
  for (const lines of [[], ['Content-Type:'], twice]) {
    assert.equal(await post(port, '/auth/handoff', body, lines), 415, lines.join())
  }
  assert.equal(
    await post(port, '/auth/handoff', body, ['Content-Type: application/json']),
    200,
    'the code was not touched',
  )
})

test('no content type brings an order to the inner listener past its rules', async (t) => {
  const { service, adminPort, post } = await build(t)
  await service.plant()
  const token = `Authorization: Bearer ${ADMIN_TOKEN}`
  const bad = [
    { all: true, sub: 'ada' },
    { all: false },
    { all: 'true' },
    { sub: ['ada'] },
    { sub: '' },
    {},
    [{ all: true }],
  ]
  for (const type of [...JSON_TYPES, ...ODD_TYPES, ...FORM_TYPES]) {
    for (const body of bad) {
      const status = await post(adminPort, '/admin/sessions/end', JSON.stringify(body), [
        token,
        `Content-Type: ${type}`,
      ])
      assert.ok(status === 400 || status === 415, `${type}: ${status}`)
    }
  }
  const left: string[] = []
  for await (const key of service.sessions.listAll()) left.push(key)
  assert.equal(left.length, 1, 'nobody was signed out')
})

test('a sign-out takes a return target under no content type that its rules do not see', async (t) => {
  const { service, port, post } = await build(t)
  const hostile = JSON.stringify({ return_to: 'https://evil.example/' })
  const mine = [`Cookie: ${service.cookieName}=${await service.plant()}`, `Origin: ${PUBLIC_URL}`]
  for (const type of [...JSON_TYPES, ...ODD_TYPES, ...FORM_TYPES]) {
    for (const body of [
      hostile,
      'return_to=https://evil.example/',
      '{"return_to":"/","__proto__":{"return_to":"//evil"}}',
    ]) {
      const status = await post(port, '/auth/logout', body, [...mine, `Content-Type: ${type}`])
      assert.ok(status === 400 || status === 415, `${type}: ${status}`)
    }
  }
  const credential = mine[0]?.split('=').slice(1).join('=') ?? ''
  assert.ok(await service.sessions.find(credential), 'and the session is still there')
})
