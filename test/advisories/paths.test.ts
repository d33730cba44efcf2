import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { parseAnswers, sendRaw } from './raw.ts'

async function build(t: TestContext) {
  const reached: string[] = []
  const proxy = await buildProxy(t, (incoming, answer) => {
    incoming.resume()
    reached.push(String(incoming.url))
    answer.end('{"secret":"of the API"}')
  })
  const mine = [`Cookie: ${proxy.mine.cookie}`, `Origin: ${PUBLIC_URL}`]
  const get = async (target: string, lines: readonly string[] = []) => {
    const octets = await sendRaw(
      proxy.port,
      [`GET ${target} HTTP/1.1`, 'Host: a', ...lines, 'Connection: close', '', ''].join('\r\n'),
    )
    return octets === '' ? { status: 0, body: '' } : (parseAnswers(octets)[0] ?? assert.fail(target))
  }
  return { ...proxy, reached, mine, get }
}

/** Spellings by which a path of one rule has been taken for one of another. */
const spell = (path: string): string[] => {
  const [, first = '', ...rest] = path.split('/')
  const tail = rest.join('/')
  const encode = (text: string): string => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`
  return [
    path,
    `/${path}`,
    `//${path}`,
    `/${first}//${tail}`,
    `/./${first}/${tail}`,
    `/${first}/./${tail}`,
    `/x/..${path}`,
    `/auth/jwks.json/..${path}`,
    `/auth/jwks.json/../..${path}`,
    `/auth/jwks.json/%2e%2e/%2e%2e${path}`,
    `/auth/jwks.json;/../..${path}`,
    `/auth/jwks.json%2f..%2f..${path}`,
    `/auth/jwks.json%5c..%5c..${path.replaceAll('/', '%5c')}`,
    `/auth/jwks.json\\..\\..${path.replaceAll('/', '\\')}`,
    `/auth/jwks.json#/../..${path}`,
    `/auth/jwks.json?/../..${path}`,
    `/${encode(first)}/${tail}`,
    `/${first}/${encode(tail)}`,
    `/${encode(encode(first).slice(1))}/${tail}`,
    `/${first}%2f${tail}`,
    `/${first}%252f${tail}`,
    `/${first}%5c${tail}`,
    `/${first}\\${tail}`,
    `/${first};x=1/${tail}`,
    `/${first};/${tail}`,
    `${path};x=1`,
    `${path}/`,
    `${path}//`,
    `${path}/.`,
    `${path}/..;/x`,
    `${path}/../../admin`,
    `${path}/%2e%2e/%2E%2E/admin`,
    `${path}/..%2f..%2fadmin`,
    `${path}%2f..%2f..%2fadmin`,
    `${path}%5c..%5c..%5cadmin`,
    `${path}\\..\\..\\admin`,
    `${path}/.%2e/admin`,
    `${path}%00`,
    `${path}%20`,
    `${path}%09`,
    `${path}%0d%0aX-Auth-Subject:%20x`,
    `${path}#/auth/jwks.json`,
    `${path}%23/auth/jwks.json`,
    `${path}?/auth/jwks.json`,
    `${path}?x=/auth/jwks.json`,
    `${path}%3f/auth/jwks.json`,
    `/${first.toUpperCase()}/${tail.toUpperCase()}`,
    `/${first}/${tail.toUpperCase()}`,
    `/${first.replace('a', '%c1%a1')}/${tail}`,
    `/${first.replace('a', '\u00aa')}/${tail}`,
    `http://bff.example.com${path}`,
    `https://evil.example${path}`,
    `//bff.example.com${path}`,
    `.${path}`,
    `*${path}`,
  ]
}

test('without a session no spelling of a path reaches an API, or what only the signed-in may see', async (t) => {
  const { get, reached } = await build(t)
  for (const path of ['/api/x/1', '/auth/sessions', '/auth/events', '/auth/refresh']) {
    for (const target of spell(path)) {
      const { status, body } = await get(target)
      // Where a spelling names the public keys after all, that is all there is to see.
      const isPublic = status === 200 && /^\{"keys":/.test(body)
      assert.ok(isPublic || status >= 400 || status === 0, `${target}: ${status}`)
      assert.doesNotMatch(body, /secret|"sessions"/, target)
    }
  }
  assert.deepEqual(reached, [])
})

test('with a session no spelling of a path reaches an API beside its prefix', async (t) => {
  const { get, reached, mine } = await build(t)
  for (const path of ['/api/x/1', '/api/x-internal/1', '/api/1', '/v1/1']) {
    for (const target of spell(path)) {
      const before = reached.length
      const { status } = await get(target, mine)
      for (const seen of reached.slice(before)) {
        assert.match(seen, /^\/v1\/1(?![\w-])/, `${target} became ${seen}`)
        const [decoded = ''] = decodeURIComponent(seen).split('?')
        assert.doesNotMatch(decoded, /\.\.|\\|\/\//, target)
      }
      assert.ok(reached.length > before || status >= 400 || status === 0 || status === 200, `${target}: ${status}`)
    }
  }
  assert.ok(reached.length > 0)
})

test('from outside no spelling reaches what belongs to the inner listener, with a session or without', async (t) => {
  const { get, mine, reached } = await build(t)
  for (const path of [
    '/auth/verify',
    '/auth/verify/x',
    '/health/live',
    '/health/ready',
    '/admin/sessions/end',
    '/metrics/x',
  ]) {
    for (const target of spell(path)) {
      for (const lines of [[], mine]) {
        const { status, body } = await get(target, lines)
        const isPublic = status === 200 && /^\{"keys":/.test(body)
        assert.ok(
          isPublic || status === 400 || status === 404 || status === 405 || status === 0,
          `${target}: ${status}`,
        )
        assert.doesNotMatch(body, /canary|"ended"|"status"/, target)
      }
    }
  }
  assert.deepEqual(reached, [])
})

test('a route that answers by one spelling of its path keeps all of its rules by any other', async (t) => {
  const { get, service } = await build(t)
  for (const path of ['/auth/session', '/auth/sessions', '/auth/start']) {
    for (const target of spell(path)) {
      const foreign = await get(target, [
        `Cookie: ${service.cookieName}=${await service.plant()}`,
        'Origin: https://evil.example',
      ])
      const octets = JSON.stringify(foreign)
      assert.doesNotMatch(octets, /evil\.example/, target)
      const scripted = await get(target, [
        'Sec-Fetch-Dest: script',
        'Sec-Fetch-Mode: no-cors',
        'Sec-Fetch-Site: cross-site',
      ])
      const isPublic = /^\{"keys":/.test(scripted.body)
      assert.ok(
        isPublic || scripted.status >= 400 || scripted.status === 0,
        `${target} as a script: ${scripted.status}`,
      )
    }
  }
})
