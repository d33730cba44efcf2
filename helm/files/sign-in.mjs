// `helm test`: starts a sign-in at the service, and checks the signed request as Oten would.
// Arguments: the address of the service, and what to expect, as JSON.
import { createPublicKey, verify } from 'node:crypto'
import { argv, exit, stdout } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

const TRIES = 30
const PAUSE_MS = 1_000

const [, , base, expectedJson] = argv
const expected = JSON.parse(expectedJson)
const checks = []

/** Notes whether something holds; all of it is said, not only the first fault. */
const check = (sentence, holds) => checks.push({ sentence, holds })

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))

/** The service may have started this second, and Oten's metadata may still be on the way: 503 is tried again. */
async function fetchJson(path) {
  for (let left = TRIES; ; left -= 1) {
    try {
      const response = await fetch(base + path, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
      const body = await response.text()
      if (response.status === 200) return JSON.parse(body)
      if (response.status !== 503 || left <= 1) throw new Error(`${path} answered ${response.status}: ${body}`)
    } catch (error) {
      if (error instanceof TypeError && left > 1) stdout.write(`waiting: ${base} does not answer\n`)
      else throw error
    }
    await sleep(PAUSE_MS)
  }
}

/** The two parameters are all that may travel unsigned beside the request object (RFC 9101 §5). */
function readRequest(authorizationUrl) {
  const url = new URL(authorizationUrl)
  check('the authorization endpoint is as protected as the issuer', url.protocol === new URL(expected.issuer).protocol)
  check('client_id travels beside the request', url.searchParams.get('client_id') === expected.clientId)
  const unsigned = ['redirect_uri', 'scope', 'state', 'nonce', 'response_type', 'code_challenge', 'request_uri']
  check('nothing that must be signed travels unsigned', !unsigned.some((name) => url.searchParams.has(name)))
  const parts = (url.searchParams.get('request') ?? '').split('.')
  if (parts.length !== 3) throw new Error('the authorization URL carries no signed request')
  return { header: decode(parts[0]), claims: decode(parts[1]), parts }
}

function checkHeader(header) {
  check(`the request is signed with ${expected.alg}`, header.alg === expected.alg)
  check(`its typ is ${expected.typ}`, header.typ === expected.typ)
  if (expected.alg !== 'HS256') check('its kid names the key', typeof header.kid === 'string' && header.kid !== '')
  if (expected.keyId) check('its kid is the Key ID that Oten assigned', header.kid === expected.keyId)
}

function checkClaims(claims) {
  const now = Date.now() / 1000
  check(
    'client_id and iss are the client',
    [claims.client_id, claims.iss].every((id) => id === expected.clientId),
  )
  check('aud is the issuer', claims.aud === (expected.audience || expected.issuer))
  check(`redirect_uri is ${expected.redirectUri}`, claims.redirect_uri === expected.redirectUri)
  check('response_type is code', claims.response_type === 'code')
  check('PKCE is S256', claims.code_challenge_method === 'S256' && /^[\w-]{43}$/.test(claims.code_challenge))
  check(
    'state, nonce and jti are there',
    ['state', 'nonce', 'jti'].every((name) => claims[name]?.length > 15),
  )
  check(`it lives ${expected.ttlS} s`, claims.exp - claims.iat === expected.ttlS)
  check('it is valid now, by the clock of this pod', claims.iat <= now + 5 && claims.exp > now - 5)
}

async function checkSignature({ header, parts }) {
  const { keys } = await fetchJson('/auth/jwks.json')
  check('no private key is published', !keys.some((key) => 'd' in key || 'k' in key))
  if (expected.alg === 'HS256') {
    stdout.write('note  the signature is not checked: for HS256 that takes the client secret\n')
    return
  }
  const jwk = keys.find(({ kid }) => kid === header.kid)
  check('the key is published at /auth/jwks.json', jwk !== undefined)
  if (jwk === undefined) return
  const [head, payload, signature] = parts
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const holds = verify(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url'))
  check('the signature verifies with the published key', holds)
}

try {
  const started = await fetchJson('/auth/start?response=json')
  const request = readRequest(started.authorization_url)
  checkHeader(request.header)
  checkClaims(request.claims)
  await checkSignature(request)
} catch (error) {
  check(error.message, false)
}
for (const { sentence, holds } of checks) stdout.write(`${holds ? 'ok  ' : 'FAIL'}  ${sentence}\n`)
exit(checks.every(({ holds }) => holds) ? 0 : 1)
