import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { JsonObject, Simulator } from '../../demo/idp/simulator.ts'
import {
  authorizationUrl,
  claimsFor,
  now,
  REDIRECT_URI,
  type SignOptions,
  signRequestObject,
  start,
  urlWith,
} from './idp-client.ts'

interface Case extends SignOptions {
  readonly changes?: JsonObject | (() => JsonObject)
  readonly clientId?: 'hs' | 'ed'
  readonly alg?: string
  /** The error, and words of the reason. */
  readonly refused?: readonly [error: string, reason: RegExp]
  /** Whether the browser gets an error page because nothing in the request can be trusted. */
  readonly page?: true
}

const strangersKey = generateKeyPairSync('ed25519').privateKey
const INVALID = 'invalid_request_object'

const CASES: Record<string, Case> = {
  'as it should be': {},
  'with typ JWT': { header: { typ: 'JWT' } },
  'without typ': { header: { typ: undefined } },
  'with nbf a little back': { changes: () => ({ nbf: now() - 5 }) },
  'with a lifetime of exactly 300 s': { changes: () => ({ exp: now() + 300 }) },
  'with a claim that nobody knows': { changes: { utm_source: 'x' } },
  'with max_age as a number': { changes: { max_age: 3600 } },
  'signed with EdDSA': { clientId: 'ed', alg: 'EdDSA' },
  'signed with EdDSA without kid': { clientId: 'ed', alg: 'EdDSA', header: { kid: undefined } },

  'signed with another secret': { secret: 'x'.repeat(32), refused: [INVALID, /client secret/], page: true },
  'signed with another key': {
    clientId: 'ed',
    alg: 'EdDSA',
    key: strangersKey,
    refused: [INVALID, /no registered key/],
    page: true,
  },
  'signed with an unknown kid': {
    clientId: 'ed',
    alg: 'EdDSA',
    header: { kid: 'client-9' },
    refused: [INVALID, /no registered key/],
    page: true,
  },
  'signed with the other algorithm than registered': {
    clientId: 'ed',
    alg: 'HS256',
    refused: [INVALID, /alg is "HS256"/],
    page: true,
  },
  'with another name of the registered algorithm': {
    clientId: 'ed',
    alg: 'Ed25519',
    refused: [INVALID, /alg is "Ed25519"/],
    page: true,
  },
  'with typ at+jwt': { header: { typ: 'at+jwt' }, refused: [INVALID, /typ/], page: true },

  'for another iss': { changes: { iss: 'ed' }, refused: ['invalid_request', /iss/] },
  'without iss': { changes: { iss: undefined }, refused: ['invalid_request', /iss/] },
  'for another aud': { changes: { aud: 'https://account.oten.com' }, refused: ['invalid_request', /aud/] },
  'without aud': { changes: { aud: undefined }, refused: ['invalid_request', /aud/] },
  'for the issuer with a slash': { changes: { aud: 'http://127.0.0.1/' }, refused: ['invalid_request', /aud/] },
  'that has expired': {
    changes: () => ({ iat: now() - 200, exp: now() - 1 }),
    refused: ['invalid_request', /expired/],
  },
  'for another client_id': { changes: { client_id: 'ed' }, refused: [INVALID, /client_id/] },
  'without client_id': { changes: { client_id: undefined }, refused: [INVALID, /client_id/] },
  'without iat': { changes: { iat: undefined }, refused: [INVALID, /iat/] },
  'without exp': { changes: { exp: undefined }, refused: [INVALID, /exp/] },
  'without jti': { changes: { jti: undefined }, refused: [INVALID, /jti/] },
  'with a lifetime of 301 s': { changes: () => ({ iat: now(), exp: now() + 301 }), refused: [INVALID, /300/] },
  'with exp before iat': { changes: () => ({ iat: now() + 4, exp: now() + 3 }), refused: [INVALID, /after iat/] },
  'with iat in the future': { changes: () => ({ iat: now() + 30 }), refused: [INVALID, /future/] },
  'with nbf in the future': { changes: () => ({ nbf: now() + 30 }), refused: [INVALID, /nbf/] },
  'with sub': { changes: { sub: 'hs' }, refused: [INVALID, /sub/] },
  'with request inside': { changes: { request: 'x' }, refused: [INVALID, /inside/] },
  'with request_uri inside': { changes: { request_uri: 'urn:x' }, refused: [INVALID, /inside/] },
  'with max_age as text': { changes: { max_age: '3600' }, refused: [INVALID, /max_age/] },
  'with a negative max_age': { changes: { max_age: -1 }, refused: [INVALID, /max_age/] },
  'with state as a number': { changes: { state: 5 }, refused: [INVALID, /state/] },
  'with scope as a list': { changes: { scope: ['openid'] }, refused: [INVALID, /scope/] },
  'with exp as text': { changes: () => ({ exp: String(now() + 60) }), refused: [INVALID, /exp/] },
  'without code_challenge': { changes: { code_challenge: undefined }, refused: ['invalid_request', /code_challenge/] },
  'with a short code_challenge': { changes: { code_challenge: 'abc' }, refused: ['invalid_request', /code_challenge/] },
  'with the plain PKCE method': {
    changes: { code_challenge_method: 'plain' },
    refused: ['invalid_request', /S256/],
  },
  'without the PKCE method': {
    changes: { code_challenge_method: undefined },
    refused: ['invalid_request', /code_challenge_method/],
  },
  'without state': { changes: { state: undefined }, refused: ['invalid_request', /state/] },
  'for another response type': {
    changes: { response_type: 'code id_token' },
    refused: ['unsupported_response_type', /code/],
  },
  'for an unknown scope': { changes: { scope: 'openid admin' }, refused: ['invalid_scope', /scope/] },
  'with an unknown prompt': { changes: { prompt: 'dance' }, refused: ['invalid_request', /prompt/] },
  'for an unregistered redirect_uri': {
    changes: { redirect_uri: 'https://evil.example/' },
    refused: ['invalid_request', /redirect_uri/],
    page: true,
  },
}

async function send(simulator: Simulator, { changes = {}, clientId = 'hs', alg = 'HS256', ...options }: Case) {
  const claims = claimsFor(simulator, clientId, typeof changes === 'function' ? changes() : changes)
  const request = await signRequestObject(claims, alg, options)
  return fetch(urlWith(simulator, { client_id: clientId, request }), { redirect: 'manual' })
}

test('request objects are accepted or refused as Oten documents it', async (t) => {
  const lines: string[] = []
  const simulator = await start(t, { log: (line) => lines.push(line) })
  for (const [name, its] of Object.entries(CASES)) {
    await t.test(`a request object ${name} is ${its.refused ? `refused: ${its.refused[0]}` : 'accepted'}`, async () => {
      lines.length = 0
      const answer = await send(simulator, its)
      const location = new URL(answer.headers.get('location') ?? '/none', simulator.issuer)
      if (its.refused === undefined) {
        assert.equal(answer.status, 303, await answer.text())
        assert.match(location.pathname, /^\/sign-in\//)
        return
      }
      const [error, reason] = its.refused
      assert.equal(lines.length, 1)
      assert.match(String(lines[0]), reason)
      assert.doesNotMatch(String(lines[0]), /eyJ/, 'the log never has a JWT')
      assert.equal(simulator.stats.refused.at(-1)?.error, error)
      if (its.page) {
        assert.equal(answer.status, 400)
        assert.equal(((await answer.json()) as { error: string }).error, error)
        return
      }
      assert.equal(answer.status, 303)
      assert.equal(`${location.origin}${location.pathname}`, REDIRECT_URI)
      assert.equal(location.searchParams.get('error'), error)
      assert.equal(location.searchParams.get('iss'), simulator.issuer)
    })
  }
})

test('what is no JWS at all is refused with invalid_request_object', async (t) => {
  const simulator = await start(t)
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`
  for (const request of ['', 'x', 'a.b.c', none, `${'a.'.repeat(4)}a`, 'eyJhbGciOiJIUzI1NiJ9.W10.x']) {
    const answer = await fetch(urlWith(simulator, { client_id: 'hs', request }), { redirect: 'manual' })
    assert.equal(answer.status, 400, request)
    assert.equal(((await answer.json()) as { error: string }).error, INVALID, request)
  }
})

test('the issuer as a list is not the issuer as one string', async (t) => {
  const simulator = await start(t)
  const answer = await send(simulator, { changes: { aud: [simulator.issuer] } })
  assert.equal(new URL(String(answer.headers.get('location'))).searchParams.get('error'), 'invalid_request')
})

test('without a request object the answer is the one that Oten documents', async (t) => {
  const simulator = await start(t)
  const answer = await fetch(urlWith(simulator, { client_id: 'hs', response_type: 'code', redirect_uri: REDIRECT_URI }))
  assert.equal(answer.status, 400)
  assert.deepEqual(await answer.json(), {
    error: 'invalid_request',
    error_description: 'JAR (request parameter) is required for confidential clients',
  })
})

test('anything beside client_id and request in the query is refused, and burns no jti', async (t) => {
  const simulator = await start(t)
  const url = await authorizationUrl(simulator)
  for (const extra of ['&state=x', '&utm_source=x', '&client_id=hs', '&request=x', '&request_uri=urn:x']) {
    const answer = await fetch(`${url}${extra}`, { redirect: 'manual' })
    assert.equal(answer.status, 400, extra)
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_request', extra)
  }
  assert.equal((await fetch(url, { redirect: 'manual' })).status, 303)
})

test('an unknown client is refused with invalid_client', async (t) => {
  const simulator = await start(t)
  const answer = await fetch(urlWith(simulator, { client_id: 'nobody\nforged log line', request: 'x' }))
  assert.equal(answer.status, 401)
  assert.equal(((await answer.json()) as { error: string }).error, 'invalid_client')
})

test('a browser sees refusals as a page', async (t) => {
  const simulator = await start(t)
  const answer = await fetch(urlWith(simulator, { client_id: 'hs', '<b>': 'x', request: 'x' }), {
    headers: { accept: 'text/html' },
  })
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /not &#60;b&#62;/)
})

test('a request object works once, even when it comes twice at the same time', async (t) => {
  const simulator = await start(t)
  const url = await authorizationUrl(simulator)
  const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(url, { redirect: 'manual' })))
  const accepted = answers.filter(({ headers }) => !String(headers.get('location')).includes('error='))
  assert.equal(accepted.length, 1)
  assert.equal(simulator.stats.refused.filter(({ reason }) => reason === 'jti was used before').length, 9)
})

test('a forged request object does not burn the jti of the genuine one', async (t) => {
  const simulator = await start(t)
  const claims = claimsFor(simulator)
  const forged = await signRequestObject(claims, 'HS256', { secret: 'x'.repeat(32) })
  const genuine = await signRequestObject(claims, 'HS256')
  assert.equal((await fetch(urlWith(simulator, { client_id: 'hs', request: forged }))).status, 400)
  const answer = await fetch(urlWith(simulator, { client_id: 'hs', request: genuine }), { redirect: 'manual' })
  assert.match(String(answer.headers.get('location')), /sign-in/)
})

test('twelve hundred sign-ins later a used jti is still refused', async (t) => {
  const simulator = await start(t)
  const used = await authorizationUrl(simulator)
  await fetch(used, { redirect: 'manual' })
  for (let round = 0; round < 12; round += 1) {
    const urls = await Promise.all(Array.from({ length: 100 }, () => authorizationUrl(simulator)))
    await Promise.all(urls.map(async (url) => (await fetch(url, { redirect: 'manual' })).arrayBuffer()))
  }
  const answer = await fetch(used, { redirect: 'manual' })
  assert.match(String(answer.headers.get('location')), /error=invalid_request_object/)
})
