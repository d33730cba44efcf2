import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BffError } from '../../src/errors.ts'
import { buildAuthorizationUrl, parseAuthorizationResponse } from '../../src/idp/authorization.ts'

const ENDPOINT = 'https://account.oten.test/v1/oauth/authorize'

test('RO-14: the query has exactly client_id and request, each once, and there is no fragment', () => {
  assert.equal(buildAuthorizationUrl(ENDPOINT, 'bff', 'a.b-_.c'), `${ENDPOINT}?client_id=bff&request=a.b-_.c`)
})

test('RO-15: the query of the endpoint stays as it is written', () => {
  for (const query of [
    'tenant=a',
    'tenant=a%20b',
    'tenant=%C3%9F',
    'flag',
    'a=1&a=2',
    "q=(x)'!*~",
    'a=b=c',
    'a=%2F+',
  ]) {
    const url = buildAuthorizationUrl(`${ENDPOINT}?${query}`, 'bff', 'a.b.c')
    const kept = query.replaceAll("'", '%27') // As the URL Standard writes it.
    assert.equal(url, `${ENDPOINT}?${kept}&client_id=bff&request=a.b.c`)
  }
  assert.equal(buildAuthorizationUrl(`${ENDPOINT}?`, 'bff', 'a.b.c'), `${ENDPOINT}?client_id=bff&request=a.b.c`)
})

test('RO-15: an endpoint with an empty fragment loses it, or the parameters would not leave the browser', () => {
  assert.equal(buildAuthorizationUrl(`${ENDPOINT}#`, 'bff', 'a.b.c'), `${ENDPOINT}?client_id=bff&request=a.b.c`)
})

test('RO-14: a client_id, request or request_uri in the query of the endpoint gives way', () => {
  for (const name of ['client_id', 'request', 'request_uri', 'request%5Furi']) {
    const url = new URL(buildAuthorizationUrl(`${ENDPOINT}?${name}=evil&tenant=a`, 'bff', 'a.b.c'))
    assert.deepEqual(
      [...url.searchParams],
      [
        ['tenant', 'a'],
        ['client_id', 'bff'],
        ['request', 'a.b.c'],
      ],
    )
  }
})

test('RO-15: a client id is percent-encoded, so that it is one value and nothing more', () => {
  const clientId = 'bff &request=x#?+%/\u00df'
  const url = buildAuthorizationUrl(ENDPOINT, clientId, 'a.b.c')
  assert.equal(url, `${ENDPOINT}?client_id=bff+%26request%3Dx%23%3F%2B%25%2F%C3%9F&request=a.b.c`)
  assert.deepEqual(new URL(url).searchParams.getAll('request'), ['a.b.c'])
})

test('RO-19: a URL of 8000 octets is built, a longer one is an error that says how long', () => {
  const room = 8000 - `${ENDPOINT}?client_id=bff&request=`.length
  assert.equal(buildAuthorizationUrl(ENDPOINT, 'bff', 'x'.repeat(room)).length, 8000)
  assert.throws(
    () => buildAuthorizationUrl(ENDPOINT, 'bff', 'x'.repeat(room + 1)),
    (error: unknown) =>
      error instanceof BffError && error.code === 'invalid_request' && /8001 octets, at most 8000/.test(error.message),
  )
})

const ISSUER = 'https://account.oten.test'
const GOOD = { code: 'c0de', state: 'st4te', iss: ISSUER }

function parse(query: Record<string, string> | string, requiresIss = true) {
  const server = { issuer: ISSUER, authorization_response_iss_parameter_supported: requiresIss }
  return parseAuthorizationResponse(new URLSearchParams(query), server, 'bff', 'st4te')
}

test('an answer with the right state and issuer gives the code', () => {
  const answer = parse(GOOD)
  assert.ok(answer.kind === 'code')
  assert.equal(answer.parameters.get('code'), 'c0de')
})

test('D13: iss may be absent only while the IdP does not announce it', () => {
  const { iss: _iss, ...without } = GOOD
  assert.equal(parse(without, false).kind, 'code')
  assert.equal(parse(without, true).kind, 'failed')
})

test('CB-04: an empty iss is refused, also while the IdP does not announce it: it is present and does not match', () => {
  for (const requiresIss of [true, false]) {
    const outcome = parse({ ...GOOD, iss: '' }, requiresIss)
    assert.deepEqual(outcome, { kind: 'failed', error: 'sign_in_failed', reason: 'response_invalid' })
  }
})

const text = (changes: Record<string, string>): string => new URLSearchParams({ ...GOOD, ...changes }).toString()

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  response_invalid: [
    text({ state: 'other' }),
    'code=c0de&iss=https://account.oten.test',
    text({ iss: 'https://evil.example' }),
    text({ iss: `${ISSUER}/` }),
    text({ iss: '' }),
  ],
  parameter_repeated: ['code', 'state', 'iss', 'error', 'error_description', 'error_uri'].map(
    (name) => `${text({})}&${name}=a&${name}=a`,
  ),
  token_in_front_channel: ['access_token', 'id_token', 'refresh_token', 'token_type', 'response'].flatMap((name) => [
    text({ [name]: 'x' }),
    text({ [name]: '' }),
  ]),
  code_and_error: [text({ error: 'access_denied' }), text({ error: '' })],
  code_too_long: [text({ code: 'c'.repeat(4097) })],
  code_missing: [text({ code: '' }), `state=st4te&iss=${ISSUER}`],
}

for (const [reason, queries] of Object.entries(REFUSED)) {
  test(`an authorization response is refused as sign_in_failed: ${reason}`, () => {
    for (const query of queries) {
      assert.deepEqual(parse(query), { kind: 'failed', error: 'sign_in_failed', reason }, query)
    }
  })
}

test('a code of 4096 octets is looked at', () => {
  assert.equal(parse({ ...GOOD, code: 'c'.repeat(4096) }).kind, 'code')
})

const parseError = (error: string) => parse({ error, state: 'st4te', iss: ISSUER })

test('an error of the IdP becomes one of a fixed set', () => {
  for (const error of [
    'access_denied',
    'login_required',
    'interaction_required',
    'consent_required',
    'account_selection_required',
  ]) {
    assert.deepEqual(parseError(error), { kind: 'failed', error, reason: error })
  }
  for (const error of ['temporarily_unavailable', 'server_error']) {
    assert.deepEqual(parseError(error), { kind: 'failed', error: 'idp_unavailable', reason: error })
  }
  assert.deepEqual(parseError('invalid_request_object'), {
    kind: 'failed',
    error: 'sign_in_failed',
    reason: 'invalid_request_object',
  })
})

test('LG-01: of an error of another shape nothing gets into the log', () => {
  for (const error of ['<script>', 'a b', 'Access_Denied', 'x'.repeat(65), 'a\nb', 'eyJhbGciOiJub25lIn0.e30.']) {
    assert.deepEqual(parseError(error), { kind: 'failed', error: 'sign_in_failed', reason: 'unknown_error' })
  }
})

test('an error without the right state or issuer is nobody’s error', () => {
  for (const query of [
    { error: 'access_denied', iss: ISSUER },
    { error: 'access_denied', iss: ISSUER, state: 'other' },
    { error: 'access_denied', iss: 'https://evil.example', state: 'st4te' },
  ]) {
    assert.deepEqual(parse(query), { kind: 'failed', error: 'sign_in_failed', reason: 'response_invalid' })
  }
})
