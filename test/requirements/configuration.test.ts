import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { assertRefused, VALID_ENV } from '../config/valid-env.ts'
import { createPhone } from '../flows/phone.ts'
import { openBrowser, reachCallback, sendPlain, withParameters } from '../flows/steps.ts'
import { listen } from '../routes/build-proxy.ts'
import { createWorld } from '../support/world.ts'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The limits that users plan with: the setting, its default in seconds, and its words in the README. */
const LIMITS = [
  ['SESSION_IDLE_S', 3600, 'one hour'],
  ['SESSION_MAX_S', 12 * 3600, 'twelve hours'],
  ['APP_SESSION_IDLE_S', 30 * 86_400, 'thirty'],
  ['APP_SESSION_MAX_S', 90 * 86_400, 'ninety days'],
] as const

test('CF-06: the limits of sessions in the README, in .env.example and in the table of limits are those of the service', () => {
  const { browser, app } = loadConfig(VALID_ENV).session
  const actual = [browser.idleS, browser.maxS, app.idleS, app.maxS]
  const [sentence = ''] = /Idle and absolute limits: [^.]+\./.exec(read('README.md').replaceAll('\n', ' ')) ?? []
  for (const [index, [name, seconds, words]] of LIMITS.entries()) {
    assert.equal(actual[index], seconds, name)
    assert.ok(sentence.includes(words) && sentence.includes(`\`${name}\``), `${name} in the README`)
    assert.match(read('.env.example'), new RegExp(`^#${name}=${seconds}$`, 'm'))
    assert.match(read('docs/conformance-rfc.md'), new RegExp(`\\| \`${name}\` \\| ${seconds} s \\|`))
  }
})

test('CF-06: a user may be signed in any number of times, once per browser', async (t) => {
  const world = await createWorld(t)
  const browsers = Array.from({ length: 5 }, () => openBrowser(world))
  for (const browser of browsers) await browser.signIn('ada')
  const phone = createPhone(world)
  const { code } = await phone.signIn('ada')
  const token = String((await phone.redeem(code, { session: 'token' })).json().session_token)
  for (const browser of browsers) assert.equal((await browser.session()).authenticated, true)
  assert.equal((await phone.call(token)).json().authenticated, true)
  const [first] = browsers
  const earlier = await first?.jar.getCookieString(world.publicUrl)
  await first?.signIn('ada')
  const dead = await sendPlain(world, '/auth/session', { headers: { cookie: String(earlier) } })
  assert.deepEqual(dead.json(), { authenticated: false })
  const { sessions } = (await phone.call(token, '/auth/sessions')).json() as { sessions: unknown[] }
  assert.equal(sessions.length, 6)
})

test('CF-05: nothing in a request, an answer or a token makes the service call a host that is neither the IdP nor an API', async (t) => {
  let calls = 0
  const thief = await listen(t, (_incoming, answer) => {
    calls += 1
    answer.setHeader('content-type', 'application/json').end('{"keys":[]}')
  })
  let apiCalls = 0
  const api = await listen(t, (_incoming, answer) => {
    apiCalls += 1
    answer.writeHead(307, { location: thief.url }).end()
  })
  const world = await createWorld(t, { env: { API_ROUTES: `/api/x=${api.url}` } })
  const { faults } = world.simulator
  const host = thief.url.slice('http://'.length)
  const browser = openBrowser(world)
  const away = { host, 'x-forwarded-host': host, forwarded: `host=${host}`, 'x-original-url': thief.url }
  const hints = ['request_uri', 'target_link_uri', 'iss', 'resource', 'jku', 'openid_connect_url'] as const
  for (const name of hints) await browser.navigate(`/auth/start?${new URLSearchParams({ [name]: thief.url })}`)
  const { url, browser: other } = await reachCallback(world)
  await other.navigate(withParameters(url, { iss: thief.url, error_uri: thief.url }))

  const header = { jku: `${thief.url}/jwks`, x5u: `${thief.url}/x5u`, iss: thief.url }
  faults.alterIdToken = (claims, original) => ({
    claims: {
      ...claims,
      picture: `${thief.url}/a.png`,
      jwks_uri: thief.url,
      _claim_sources: { a: { endpoint: thief.url } },
    },
    header: { ...original, ...header },
  })
  assert.equal((await browser.signIn('ada')).status, 303)
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const mine = { ...away, cookie, origin: world.publicUrl }
  for (const target of [
    '/api/x/1',
    `/api/x/${encodeURIComponent(thief.url)}`,
    `/api/x@${host}/`,
    `/api/x?url=${thief.url}`,
  ]) {
    await sendPlain(world, target, { headers: mine })
  }
  faults.clear()
  for (const point of ['discovery', 'jwks', 'token', 'revocation'] as const) {
    faults[point] = { kind: 'redirect', location: `${thief.url}/${point}` }
    await world.restart() // So that nothing is in memory.
    await openBrowser(world).signIn('ada')
    await browser.fetch('/auth/refresh', { method: 'POST' })
    faults.clear()
  }
  await browser.fetch('/auth/logout', { method: 'POST' })
  assert.ok(apiCalls >= 2, 'the API was asked, and said where to go')
  assert.equal(calls, 0)
})

test('CF-07: no debugging, documentation or version-control page answers on either listener', async (t) => {
  const world = await createWorld(t)
  const paths = ['/debug', '/debug/pprof/', '/actuator', '/server-status', '/.env', '/.git/config', '/documentation']
  for (const path of [
    ...paths,
    '/documentation/json',
    '/openapi.json',
    '/swagger.json',
    '/node_modules/',
    '/src/main.ts',
  ]) {
    for (const origin of [world.publicUrl, world.adminUrl]) {
      assert.equal((await fetch(origin + path)).status, 404, path)
    }
  }
})

test('CF-02: an origin that is no exact one, and plain http beyond this machine, do not start', () => {
  for (const origins of ['*', 'null', 'https://*.c4nary.com', 'http://c4nary.com', 'https://c4nary.com/path']) {
    assertRefused({ ...VALID_ENV, ALLOWED_ORIGINS: origins }, 'ALLOWED_ORIGINS', /./, ['c4nary'])
  }
  for (const url of ['http://app.c4nary.com', 'http://192.168.0.1', 'http://localhost.c4nary.com']) {
    assertRefused({ ...VALID_ENV, PUBLIC_URL: url }, 'PUBLIC_URL', /must use https/, ['c4nary'])
  }
})

test('CF-03: a redirect, logout or deep-link URI that is relative, on plain http, or has a fragment or a wildcard does not start', () => {
  const refused: readonly (readonly [name: string, value: string])[] = [
    ['PUBLIC_URL', 'app.c4nary.com'],
    ['PUBLIC_URL', 'https://app.c4nary.com#x'],
    ['PUBLIC_URL', 'https://*.c4nary.com'],
    ['POST_LOGOUT_REDIRECT_URI', '/c4nary'],
    ['POST_LOGOUT_REDIRECT_URI', 'http://a.c4nary.com/out'],
    ['POST_LOGOUT_REDIRECT_URI', 'https://a.c4nary.com/out#x'],
    ['POST_LOGOUT_REDIRECT_URI', 'https://a.c4nary.com/*'],
    ['APPS', 'ios=/c4nary'],
    ['APPS', 'ios=http://a.c4nary.com/in'],
    ['APPS', 'ios=https://a.c4nary.com/in#x'],
    ['APPS', 'ios=https://*.c4nary.com/in'],
  ]
  for (const [name, value] of refused) assertRefused({ ...VALID_ENV, [name]: value }, name, /./, ['c4nary'])
})
