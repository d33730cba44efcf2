import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { passIdp } from '../browser/support.ts'
import { baseEnv, createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'
import { fetchFrom, setUpChromium, startFrontend } from './chromium-visitor.ts'
import { assertQuoted, IDP, PAGE, SERVICE } from './guide.ts'
import { openBehindNginx, withDirectives } from './nginx.ts'

const open = await setUpChromium()

test('a page whose origin is not listed gets a CORS error, and the log has the origin to list', async (t) => {
  const { url } = await startFrontend(t)
  const nearMiss = 'http://localhost:4173'
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: nearMiss } })
  const places = { [url]: PAGE, [world.publicUrl]: SERVICE }
  const { page, findError } = await open(t)
  await page.goto(url)
  assert.equal(await fetchFrom(page, `${world.publicUrl}/auth/session`), 'blocked')
  assertQuoted(await findError(/from origin .*No 'Access-Control-Allow-Origin' header is present/), places)
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
  assert.equal(await fetchFrom(page, `${world.publicUrl}/auth/logout`, { credentials: 'include', ...json }), 'blocked')
  assertQuoted(/Response to preflight [^:]+/.exec(await findError('preflight'))?.[0] ?? '')

  const listed = String(world.events('origin_not_allowed')[0]?.origin)
  assertQuoted(`"event":"origin_not_allowed","origin":"${listed}"`, places)
  const cured = await createWorld(t, { env: { ALLOWED_ORIGINS: listed } })
  assert.match(await fetchFrom(page, `${cured.publicUrl}/auth/session`), /^200 /)
})

test('an origin that no browser would send so does not start, and the fault says what is wrong with it', () => {
  const env = { ...baseEnv(), PUBLIC_URL: SERVICE, JAR_KEYS: createKey().privateJwk }
  for (const wrong of ['http://localhost:5173/', 'https://app.example.com:443', 'https://app.example.com/app', '*']) {
    assert.throws(
      () => loadConfig({ ...env, ALLOWED_ORIGINS: wrong }),
      (error) => {
        assert.ok(error instanceof ConfigError)
        for (const fault of error.faults) assertQuoted(fault)
        return error.faults.length === 1
      },
    )
  }
  assert.deepEqual(loadConfig({ ...env, ALLOWED_ORIGINS: PAGE }).allowedOrigins, [PAGE])
})

test('a page that fetches the authorization URL gets a CORS error from the IdP, and one that goes there signs in', async (t) => {
  const { url } = await startFrontend(t)
  const world = await createWorld(t, { env: { ALLOWED_ORIGINS: url } })
  const { page, findError } = await open(t)
  await page.goto(`${url}/`)
  const start = `${world.publicUrl}/auth/start?return_to=${encodeURIComponent(`${url}/`)}`
  const begin = async (): Promise<string> => JSON.parse((await fetchFrom(page, start)).slice(4)).authorization_url
  assert.equal(await fetchFrom(page, await begin(), {}), 'blocked')
  const said = await findError(`${world.simulator.issuer}/v1/oauth/authorize`)
  assertQuoted(said, { [url]: PAGE, [`${world.simulator.issuer}/v1/oauth`]: `${IDP}/v1/oauth` })

  const authorizationUrl = await begin()
  await page.evaluate((href) => location.assign(href), authorizationUrl)
  await passIdp(page, 'ada')
  await page.waitForURL(`${url}/`)
  assert.match(await fetchFrom(page, `${world.publicUrl}/auth/session`), /^200 \{"authenticated":true/)
})

const NGINX_MISTAKES = [
  {
    what: 'adds the origin once more',
    directives: (origin: string) => `add_header Access-Control-Allow-Origin ${origin};`,
    words: 'contains multiple values',
  },
  {
    what: 'puts * in its place',
    directives: () => 'proxy_hide_header Access-Control-Allow-Origin; add_header Access-Control-Allow-Origin *;',
    words: "must not be the wildcard '*'",
  },
  {
    what: 'takes the header away',
    directives: () => 'proxy_hide_header Access-Control-Allow-Origin;',
    words: "No 'Access-Control-Allow-Origin' header",
  },
] as const

for (const { what, directives, words } of NGINX_MISTAKES) {
  test(`an nginx that ${what} makes a CORS error, and without that line it does not`, async (t) => {
    const { url } = await startFrontend(t)
    const env = { ALLOWED_ORIGINS: url }
    const { page, findError } = await open(t)
    await page.goto(url)
    const { world } = await openBehindNginx(t, withDirectives(directives(url)), { env })
    assert.equal(await fetchFrom(page, `${world.publicUrl}/auth/session`), 'blocked')
    const said = await findError(words)
    assertQuoted(said.slice(said.indexOf('has been blocked')), { [url]: PAGE })
    assert.deepEqual(world.events('origin_not_allowed'), []) // Here the origin was in order.

    const { world: cured } = await openBehindNginx(t, withDirectives(''), { env })
    assert.match(await fetchFrom(page, `${cured.publicUrl}/auth/session`), /^200 /)
  })
}
