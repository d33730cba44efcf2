import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import type { Browser } from '../support/browser.ts'
import { CLIENT_SECRET, createKey, createSessionKey } from '../support/env.ts'
import { type Fleet, type FleetOptions, startFleet } from '../support/fleet.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Promised for a change of a file (contract §2), on each replica. */
const READ_AGAIN_MS = 5000

/** Two replicas that read their secrets from files, and a way to replace such a file as a secret store does. */
async function build(t: TestContext, options: Partial<FleetOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const redis = await startRedis(t)
  const sessionKey = createSessionKey()
  const put = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    return path
  }
  const fleet = await startFleet(t, {
    store: redis.url,
    ...options,
    env: { SESSION_KEYS: '', SESSION_KEYS_FILE: put('session-keys', sessionKey), ...options.env },
  })
  const readAgain = (name: string): Promise<unknown> => {
    const counts = fleet.replicas.map((replica) => countReadings(replica, name))
    return until(
      () => fleet.replicas.every((replica, n) => countReadings(replica, name) > (counts[n] ?? 0)),
      READ_AGAIN_MS,
    )
  }
  return { fleet, put, sessionKey, readAgain }
}

const countReadings = ({ log }: Fleet['replicas'][number], name: string): number =>
  log().filter(({ names }) => Array.isArray(names) && names.includes(name)).length

async function signIn(fleet: Fleet, login: string): Promise<Browser> {
  const browser = fleet.browser()
  assert.equal((await browser.signIn(login)).status, 303)
  return browser
}

async function isSignedIn({ replicas }: Fleet, browser: Browser): Promise<boolean> {
  const answers = await Promise.all(replicas.map(({ url }) => browser.fetch(`${url}/auth/session`)))
  return answers.every((answer) => answer.json().authenticated === true)
}

test('KY-08: SESSION_KEYS rotates while the service runs: old sessions go on, new ones take the new key, and a retired key opens nothing', async (t) => {
  const { fleet, put, sessionKey, readAgain } = await build(t)
  const early = await signIn(fleet, 'ada')
  const next = createSessionKey()
  // First known everywhere, then in use.
  let reading = readAgain('SESSION_KEYS')
  put('session-keys', `${sessionKey},${next}`)
  await reading
  assert.ok(await isSignedIn(fleet, early))
  reading = readAgain('SESSION_KEYS')
  put('session-keys', `${next},${sessionKey}`)
  await reading
  const late = await signIn(fleet, 'bob')
  for (const browser of [early, late]) assert.ok(await isSignedIn(fleet, browser))
  assert.equal((await early.fetch('/api/x/1')).status, 200)
  reading = readAgain('SESSION_KEYS')
  put('session-keys', next)
  await reading
  assert.ok(await isSignedIn(fleet, late))
  const answer = await early.fetch('/auth/session')
  assert.deepEqual(answer.json(), { authenticated: false })
  assert.deepEqual(answer.setCookies, [], 'in case the key comes back, or has not arrived yet')
  put('session-keys', `${next},${sessionKey}`)
  await until(() => isSignedIn(fleet, early), READ_AGAIN_MS)
})

test('KY-08: an invalid new content of SESSION_KEYS is logged, and nobody is signed out', async (t) => {
  const { fleet, put } = await build(t)
  const browser = await signIn(fleet, 'ada')
  put('session-keys', 'canary-no-key')
  await until(
    () =>
      fleet.replicas.every(({ log }) =>
        log().some(({ level, msg }) => level === 'error' && /^SESSION_KEYS_FILE/.test(String(msg))),
      ),
    READ_AGAIN_MS,
  )
  assert.ok(await isSignedIn(fleet, browser))
  assert.doesNotMatch(JSON.stringify(fleet.replicas.map(({ log }) => log())), /canary/)
})

test('KY-08: JAR_KEYS rotates while the service runs: the next sign-in is signed by the new key, and nobody is signed out', async (t) => {
  const [old = {}, next = {}] = [createKey(), createKey()].map(({ privateJwk }, n) => ({
    ...(JSON.parse(privateJwk) as Record<string, unknown>),
    kid: `key-${n}`,
  }))
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'jar.json')
  writeFileSync(path, JSON.stringify(old), { mode: 0o600 })
  const { fleet, readAgain } = await build(t, { env: { JAR_KEYS: '', JAR_KEYS_FILE: path } })
  const register = (...keys: readonly Record<string, unknown>[]) =>
    fleet.register({ jwks: { keys: keys.map(({ d: _private, ...key }) => ({ ...key, kty: 'OKP' })) } })
  await register(old)
  const browser = await signIn(fleet, 'ada')
  const signedBy = async (): Promise<unknown> => {
    const started = await fleet.browser().fetch('/auth/start')
    return decodeProtectedHeader(new URL(String(started.json().authorization_url)).searchParams.get('request') ?? '')
      .kid
  }
  assert.equal(await signedBy(), 'key-0')
  const reading = readAgain('JAR_KEYS')
  writeFileSync(path, JSON.stringify({ keys: [next, old] }))
  await reading
  await register(old, next)
  assert.equal(await signedBy(), 'key-1')
  const published = (await (await fetch(`${fleet.publicUrl}/auth/jwks.json`)).json()) as { keys: { kid: string }[] }
  assert.deepEqual(
    published.keys.map(({ kid }) => kid),
    ['key-1', 'key-0'],
  )
  assert.ok(await isSignedIn(fleet, browser))
  assert.ok(await isSignedIn(fleet, await signIn(fleet, 'bob')))
})

test('KY-08: the client secret changes while the service runs: refreshes and sign-ins use the new one, and nobody is signed out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rotation-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'client-secret')
  writeFileSync(path, CLIENT_SECRET, { mode: 0o600 })
  const { fleet, readAgain } = await build(t, { env: { OTEN_CLIENT_SECRET: '', OTEN_CLIENT_SECRET_FILE: path } })
  const browser = await signIn(fleet, 'ada')
  const next = 'another-client-secret-of-more-than-32-octets'
  await fleet.register({ clientSecret: next })
  const refused = await browser.fetch('/auth/refresh', { method: 'POST' })
  assert.equal(refused.status, 503, 'the IdP has changed it before us: an outage, and no sign-out')
  const reading = readAgain('OTEN_CLIENT_SECRET')
  writeFileSync(path, next)
  await reading
  assert.ok(await isSignedIn(fleet, browser))
  await until(async () => (await browser.fetch('/auth/refresh', { method: 'POST' })).status === 200)
  assert.ok(await isSignedIn(fleet, await signIn(fleet, 'bob')))
})
