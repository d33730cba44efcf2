import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createIdp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { createHandoffs } from '../../src/login/handoff.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import { baseEnv, createKey } from '../support/env.ts'

const BFF = 'https://bff.example'

/** A service whose own origin is that of a claimed link. */
async function build(t: TestContext, apps: string) {
  const now = (): number => 1_700_000_000
  const lines: string[] = []
  const config = loadConfig({
    ...baseEnv(),
    PUBLIC_URL: BFF,
    OTEN_ISSUER: 'https://idp.example',
    JAR_KEYS: createKey().privateJwk,
    APPS: apps,
  })
  const { log } = createLog('trace', { write: (line: string) => void lines.push(line) })
  const store = createMemoryStore({ now })
  const { app } = await createService({ config, store, idp: createIdp(config, { now, log }), log, now })
  t.after(() => app.close())
  const handoffs = createHandoffs({ store, seal: createSeal(() => config.secrets.current().sessionKeys), now })
  const verifier = randomBytes(32).toString('base64url')
  const tokens = {
    accessToken: 'at',
    accessTokenExpiresAt: now() + 60,
    obtainedAt: now(),
    idToken: 'id',
    scope: 'openid',
  }
  const code = await handoffs.create({
    codeChallenge: hash('sha256', verifier, 'base64url'),
    session: { issuer: 'https://idp.example', sub: 'ada', claims: {}, tokens },
    startedAtUs: 0,
  })
  const redeem = () => app.inject({ method: 'POST', url: '/auth/handoff', payload: { code, code_verifier: verifier } })
  return { app, code, redeem, lines }
}

test('MH-12: a claimed link that opens in a browser shows a neutral page, burns the code and does not log it', async (t) => {
  const { app, code, redeem, lines } = await build(t, `ios=${BFF}/signed-in`)
  const answer = await app.inject(`/signed-in?code=${code}&state=canary`)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
  assert.ok(!answer.body.includes(code))
  assert.doesNotMatch(answer.body, /canary|<script|https?:/)
  assert.ok(!lines.join('').includes(code))
  assert.doesNotMatch(lines.join(''), /canary/)
  const late = await redeem()
  assert.equal(late.statusCode, 400)
  assert.equal(late.json().error, 'invalid_grant')
})

test('MH-12: that page is not kept, sends no Referer and loads nothing', async (t) => {
  const { app } = await build(t, `ios=${BFF}/signed-in`)
  const { headers } = await app.inject('/signed-in')
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['referrer-policy'], 'no-referrer')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(String(headers['content-security-policy']), /^default-src 'none';/)
  assert.match(String(headers['content-security-policy']), /frame-ancestors 'none'/)
})

test('MH-12: a code that did not pass by here is still good', async (t) => {
  const { app, redeem } = await build(t, `ios=${BFF}/signed-in`)
  for (const query of ['', '?code=', '?code=another', `?code=${'x'.repeat(600)}`, '?error=access_denied']) {
    assert.equal((await app.inject(`/signed-in${query}`)).statusCode, 200)
  }
  assert.equal((await redeem()).statusCode, 200)
})

test('MH-12: links with one path, or with a query, share a page; those of other origins have none', async (t) => {
  const apps = [
    `ios=${BFF}/signed-in`,
    `beta=${BFF}/signed-in?channel=beta`,
    'other=https://app.example/elsewhere',
    'android=com.example.app:/native',
    'lookalike=https://bff.example.evil/lookalike',
  ]
  const { app } = await build(t, apps.join())
  assert.equal((await app.inject('/signed-in?channel=beta')).statusCode, 200)
  for (const path of ['/elsewhere', '/native', '/lookalike', '/']) {
    assert.equal((await app.inject(path)).statusCode, 404, path)
  }
})

test('MH-12: a link below /auth or /api does not take the place of what is there', async (t) => {
  const { app } = await build(t, `ios=${BFF}/auth/session,android=${BFF}/api/x,third=${BFF}/auth/new`)
  assert.deepEqual((await app.inject('/auth/session')).json(), { authenticated: false })
  assert.equal((await app.inject('/api/x')).statusCode, 401)
  assert.equal((await app.inject('/auth/new')).statusCode, 404)
})

test('MH-12: a link whose path has a colon is that path alone, where the router would read a pattern', async (t) => {
  const { app } = await build(t, `ios=${BFF}/signed:in`)
  assert.equal((await app.inject('/signed:in')).statusCode, 200)
  assert.equal((await app.inject('/signedxx')).statusCode, 404)
})
