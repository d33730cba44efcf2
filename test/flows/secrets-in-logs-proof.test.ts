import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { createLog } from '../../src/log.ts'
import { createCanaries, encodeAll, KINDS } from '../support/canaries.ts'
import { createKey } from '../support/env.ts'
import { createWitness } from '../support/witness.ts'
import { createWorld } from '../support/world.ts'

// What the other files of this name would say of a leak: without these tests their silence would mean nothing.

const SECRET = 'Pl4nted "secret"/+= &<ümlaut>\\ \n of some length'
const FORMS = [
  'plain',
  'URL-encoded',
  'JSON-escaped',
  'HTML-escaped',
  'base64',
  'base64url',
  'hex',
  'a printed Buffer',
  'the JSON of a Buffer',
  'base64 of URL-encoded',
]

const logLine = (text: string): string => {
  const lines: string[] = []
  const { log } = createLog('info', { write: (line: string) => void lines.push(line) })
  log.info({ event: 'leak', value: `in front ${text} and behind` }, 'planted')
  return lines.join('')
}

test('a planted leak is seen in every form, whole, in a line of the log', () => {
  const canaries = createCanaries()
  canaries.mark('code', SECRET)
  const forms = encodeAll(SECRET)
  assert.deepEqual([...forms.keys()], FORMS)
  for (const [form, values] of forms) {
    for (const value of values) {
      assert.ok(
        canaries.find(logLine(value)).some(({ kind }) => kind === 'code'),
        `${form}: ${value}`,
      )
    }
  }
  assert.deepEqual(canaries.find(logLine('a planted nothing, Pl4nt, c2VjcmV0, 706c616e746564')), [])
})

test('a planted leak is seen that was cut off at either end, as lines are cut to size', () => {
  const canaries = createCanaries()
  canaries.mark('state', SECRET)
  for (const [form, values] of encodeAll(SECRET)) {
    for (const value of values) {
      for (const piece of [value.slice(0, 12), value.slice(-12), `${value.slice(0, 20)}…`]) {
        assert.equal(canaries.find(`x${piece}x`)[0]?.kind, 'state', `${form}: ${piece}`)
      }
    }
  }
})

test('a planted leak is seen wherever in a base64 text it stands, as in a JWT, a PEM or Basic credentials', () => {
  const canaries = createCanaries()
  canaries.mark('nonce', SECRET)
  for (let before = 0; before < 7; before++) {
    for (const alphabet of ['base64', 'base64url'] as const) {
      const text = Buffer.from(`${'x'.repeat(before)}${SECRET}${'y'.repeat(before)}`).toString(alphabet)
      assert.ok(canaries.find(text).length > 0, `${alphabet} ${before}`)
    }
  }
  canaries.mark('client-secret', 'a secret: of + some length')
  const basic = Buffer.from(`bff:${new URLSearchParams([['', 'a secret: of + some length']]).toString().slice(1)}`)
  assert.ok(canaries.find(basic.toString('base64')).some(({ kind }) => kind === 'client-secret'))
})

test('a private key is seen as a JWK, as PKCS#8 in PEM or DER, and as the octets themselves', async () => {
  const { privateJwk } = createKey()
  const jwk = JSON.parse(privateJwk) as { d: string }
  const canaries = createCanaries()
  canaries.markKey('jar-key', jwk.d)
  const key = await crypto.subtle.importKey('jwk', JSON.parse(privateJwk), 'Ed25519', true, ['sign'])
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', key))
  const octets = Buffer.from(jwk.d, 'base64url')
  const shown = [
    privateJwk,
    der.toString('base64'),
    der.toString('hex'),
    `${octets.toString('hex')}`,
    JSON.stringify(octets),
    `${octets.toString('base64')}`,
  ]
  for (const text of shown) assert.equal(canaries.find(text)[0]?.kind, 'jar-key', text)
})

test('a JWS is seen by its payload, by its signature, and by what it says', () => {
  const canaries = createCanaries()
  const claims = { state: 'planted-state-0123456789', sub: 'ada' }
  const [payload, signature] = [Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2lnbmF0dXJlLW9mLWEtand0']
  canaries.markJws('request-object', `eyJhbGciOiJFZERTQSJ9.${payload}.${signature}`, { state: 'state' })
  for (const [text, kind] of [
    [payload, 'request-object'],
    [signature, 'request-object'],
    [claims.state, 'state'],
  ]) {
    assert.ok(
      canaries.find(`x${text}x`).some((sighting) => sighting.kind === kind),
      kind,
    )
  }
})

test('what cannot be marked is an error: a secret that was never there would never be found', () => {
  const canaries = createCanaries()
  for (const value of [undefined, null, '', 'short']) assert.throws(() => canaries.mark('ticket', value), /no ticket/)
  assert.throws(() => canaries.mark('ticket'), /nothing to mark/)
  assert.throws(() => canaries.markJws('id-token', undefined))
})

async function witnessAWorld(t: TestContext) {
  const world = await createWorld(t)
  const canaries = createCanaries()
  const secrets = new Map(KINDS.map((kind) => [kind, hash('sha256', `planted ${kind}`, 'base64url')] as const))
  for (const [kind, value] of secrets) canaries.mark(kind, value)
  return { world, secrets, witness: createWitness(world, canaries) }
}

test('every kind is a leak in the log, in a header, in a body, in a page and on the inner listener', async (t) => {
  const { world, secrets, witness } = await witnessAWorld(t)
  witness.assertClean()
  for (const [kind, secret] of secrets) {
    for (const place of [
      'GET /auth/session 200 body',
      'GET /auth/nowhere 404 x-header',
      'GET /auth/callback 400 body',
      'inner: GET /health/ready 200 body',
      'inner: GET /metrics 200 body',
    ]) {
      const fresh = createWitness(world, createCanariesWith(kind, secret))
      fresh.see(place, `in ${secret} between`)
      assert.throws(() => fresh.assertClean(), new RegExp(`${place}: ${kind}, plain`))
    }
    const from = world.logs.length
    world.logs.push(logLine(Buffer.from(secret).toString('base64url')))
    assert.throws(() => witness.assertClean(), new RegExp(`the log: ${kind}, base64`))
    world.logs.splice(from)
  }
  witness.assertClean()
})

const createCanariesWith = (kind: (typeof KINDS)[number], secret: string) => {
  const canaries = createCanaries()
  canaries.mark(kind, secret)
  return canaries
}

test('what belongs in a place is no leak there, and is one in the next place', async (t) => {
  const { secrets, witness } = await witnessAWorld(t)
  witness.see('GET /auth/callback 303 set-cookie', `oten_session=${secrets.get('session-cookie')}`)
  witness.see('inner: GET /auth/verify 204 authorization', `Bearer ${secrets.get('access-token')}`)
  witness.see('GET /auth/start 303 location', `https://idp/?request=${secrets.get('request-object')}`)
  witness.assertClean()
  witness.see('GET /auth/verify 204 authorization', `Bearer ${secrets.get('access-token')}`)
  assert.throws(() => witness.assertClean(), /GET \/auth\/verify 204 authorization: access-token/)
})

test('the message of a leak names place, kind and form, and shows nothing of the secret', async (t) => {
  const { secrets, witness } = await witnessAWorld(t)
  const secret = String(secrets.get('refresh-token'))
  witness.see('GET /auth/session 200 body', secret)
  assert.throws(
    () => witness.assertClean(),
    (error: Error) => /refresh-token/.test(error.message) && !error.message.includes(secret.slice(0, 8)),
  )
})

test('all that a browser is answered is seen: status, headers and body, from the service alone', async (t) => {
  const { world, witness } = await witnessAWorld(t)
  const browser = witness.browser()
  await browser.signIn('ada')
  await browser.fetch('/auth/session')
  await witness.look()
  const places = witness.places()
  for (const place of [
    'GET /auth/start 200 body',
    'GET /auth/callback 303 set-cookie',
    'GET /auth/session 200 body',
    'inner: GET /health/ready 200 body',
  ]) {
    assert.ok(places.has(place), place)
  }
  assert.ok(![...places].some((place) => place.includes('/oauth/')), 'what the IdP shows is its own affair')
  assert.match(world.logs.join(''), /signed_in/)
})
