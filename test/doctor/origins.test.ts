import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOrigins } from '../../src/doctor/origins.ts'
import { relateSites } from '../../src/doctor/site.ts'
import { assertCheck, createPatient, diagnose, findTroubles } from './patient.ts'

const PAIRS = [
  ['https://app.example.com', 'https://app.example.com:8443', 'same'],
  ['http://localhost:3000', 'http://localhost:5173', 'same'],
  ['https://192.0.2.7', 'https://192.0.2.7:8443', 'same'],
  ['https://login.example.com', 'https://spa.example.com', 'presumed', 'example.com'],
  ['https://example.com', 'https://www.example.com', 'presumed', 'example.com'],
  ['https://www.example.com', 'https://example.com', 'presumed', 'example.com'],
  ['https://a.b.example.co.uk', 'https://c.example.co.uk', 'presumed', 'example.co.uk'],
  ['https://a.team.github.io', 'https://b.team.github.io', 'presumed', 'team.github.io'],
  ['https://app.example.com', 'http://app.example.com', 'cross', 'http and https'],
  ['http://localhost:3000', 'https://localhost:3000', 'cross', 'http and https'],
  ['http://localhost:3000', 'http://127.0.0.1:3000', 'cross', 'localhost and 127.0.0.1 are different sites'],
  ['http://[::1]:3000', 'http://localhost:3000', 'cross', 'though the same machine'],
  ['https://app.example.com', 'https://app.example.org', 'cross', 'no domain in common'],
  ['https://app.example.com', 'https://other.com', 'cross', 'no domain in common'],
  ['https://badexample.com', 'https://example.com', 'cross', 'no domain in common'],
  ['https://192.0.2.7', 'https://192.0.3.7', 'cross', 'an address'],
  ['https://app.example.com', 'https://192.0.2.7', 'cross', 'an address'],
  ['https://one.co.uk', 'https://two.co.uk', 'cross', 'below co.uk'],
  ['https://one.com.au', 'https://two.com.au', 'cross', 'below com.au'],
  ['https://one.github.io', 'https://two.github.io', 'cross', 'below github.io'],
  ['https://one.vercel.app', 'https://two.vercel.app', 'cross', 'below vercel.app'],
] as const

for (const [one, other, kind, words = ''] of PAIRS) {
  test(`for browsers ${other} beside ${one} is: ${kind}`, () => {
    const relation = relateSites(new URL(one), new URL(other))
    assert.equal(relation.kind, kind)
    if (relation.kind === 'cross') assert.ok(relation.reason.includes(words), relation.reason)
    if (relation.kind === 'presumed') assert.equal(relation.domain, words)
  })
}

const lifetime = { idleS: 1, maxS: 1 }
const build = (
  origin: string | undefined,
  sameSite: 'strict' | 'lax' | 'none',
  publicUrl = 'https://login.example.com',
) =>
  checkOrigins({
    publicUrl,
    secure: publicUrl.startsWith('https:'),
    allowedOrigins: origin === undefined ? [] : [origin],
    session: { store: 'memory:', browser: lifetime, app: lifetime, sameSite, claims: [] },
  })

for (const sameSite of ['strict', 'lax'] as const) {
  test(`doctor fails a page of another site, whose calls carry no ${sameSite} cookie`, () => {
    const checks = build('https://spa.other.org', sameSite)
    const detail = new RegExp(
      `spa\\.other\\.org is cross-site .*SESSION_SAME_SITE=${sameSite} its calls carry no session`,
    )
    assertCheck(
      checks,
      'FAIL',
      'origin',
      detail,
      /serve that page from https:\/\/login\.example\.com itself or .*same site/,
    )
  })
}

test('doctor warns of a page of another site with a cookie that is partitioned', () => {
  assertCheck(
    build('https://spa.other.org', 'none'),
    'warn',
    'origin',
    /the cookie is partitioned/,
    /serve that page from/,
  )
})

test('doctor says that it guesses where only the Public Suffix List would tell', () => {
  const checks = build('https://spa.example.com', 'strict')
  assertCheck(checks, 'warn', 'origin', /a guess, since both end in example\.com/, /Public Suffix List/)
})

test('doctor knows that a web view of an app gets no cookie, and needs none', () => {
  assertCheck(build('capacitor://localhost', 'strict'), 'ok', 'origin', /web view: its calls carry the session_token/)
})

test('doctor says how the cookie is bound, and that plain http is for development', () => {
  assertCheck(
    build(undefined, 'strict'),
    'ok',
    'cookies',
    /SameSite=strict, Secure, bound to login\.example\.com \(__Host-\)/,
  )
  const plain = build(undefined, 'lax', 'http://localhost:3000')
  assertCheck(plain, 'ok', 'cookies', /SameSite=lax, .*plain http on this machine, for development only/)
})

test('doctor looks at each of ALLOWED_ORIGINS', async (t) => {
  const { env } = await createPatient(t)
  const checks = await diagnose({ ...env, ALLOWED_ORIGINS: 'http://localhost:5173,http://127.0.0.1:5173' })
  assert.deepEqual(findTroubles(checks), ['warn own keys', 'FAIL origin'])
  assert.equal(checks.filter(({ name }) => name === 'origin').length, 2)
})
