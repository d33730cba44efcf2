import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BffError, type ErrorCode } from '../src/errors.ts'

/** Contract §8, typed from there. */
const CODES: Readonly<Record<string, number>> = {
  invalid_request: 400,
  invalid_grant: 400,
  unauthenticated: 401,
  forbidden_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  no_refresh_token: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  server_error: 500,
  upstream_unavailable: 502,
  idp_unavailable: 503,
  store_unavailable: 503,
  upstream_timeout: 504,
}

test('ER-01: every code has the status of the contract, a fixed sentence, and Retry-After with 429 and 503 alone', () => {
  for (const [code, status] of Object.entries(CODES)) {
    const error = new BffError(code as ErrorCode, 'canary')
    assert.equal(error.statusCode, status, code)
    assert.equal(error.wireCode, code)
    assert.match(error.description, /^[A-Z].*\.$/)
    assert.doesNotMatch(error.description, /canary/)
    assert.equal(error.retryAfterS !== undefined, status === 429 || status === 503, code)
  }
})

test('ER-06: a dead sign-in is an invalid_request on the wire', () => {
  const error = new BffError('unknown_transaction', 'used')
  assert.equal(error.wireCode, 'invalid_request')
  assert.equal(error.statusCode, 400)
})

test('a wait that was told stands over the usual one, and the cause is kept for the log', () => {
  const cause = new Error('why')
  const error = new BffError('rate_limited', 'x', { cause, retryAfterS: 7 })
  assert.equal(error.retryAfterS, 7)
  assert.equal(error.cause, cause)
  assert.ok(!('cause' in new BffError('rate_limited', 'x')))
})
