import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import {
  type Answer,
  createKey,
  type HostileIdp,
  type Received,
  signJws,
  startHostileIdp,
  type TestKey,
} from '../idp/hostile-idp.ts'
import { CLIENT_SECRET } from '../support/env.ts'
import type { Claims } from './forge.ts'

export const CLIENT_ID = 'bff'

/** Both names of the one signature that this client makes (RFC 9864). */
const ALGORITHMS = ['EdDSA', 'Ed25519']

/**
 * What the provider does otherwise than it should. Each function gets what would be right and returns what differs;
 * `undefined` takes a member away.
 */
export interface Twist {
  /** Parameters of the answer at the redirect URI. */
  readonly callback?: (right: Claims) => Claims
  /** Claims of the ID token. */
  readonly claims?: (right: Claims) => Claims
  /** Header of the ID token. */
  readonly header?: Claims
  /** The whole ID token. */
  readonly idToken?: (claims: Claims, key: TestKey) => string | Promise<string>
  /** Members of the token response. */
  readonly tokens?: (right: Claims) => Claims
  /** Parameters of the way back from the provider's sign-out. */
  readonly landing?: (right: Claims) => Claims
}

interface Authorization {
  readonly redirectUri: unknown
  readonly codeChallenge: unknown
  readonly nonce: unknown
  readonly sid: string
}

/** A provider that does all it should, and checks all it should, apart from its twist. */
export interface Provider {
  readonly idp: HostileIdp
  /** Signs from now on; published by `idp.keys`. */
  key: TestKey
  twist: Twist
  /** Runs while the browser is at the provider's sign-out. */
  atLogout: () => Promise<void>
  /** The request objects' claims, as verified. */
  readonly asked: Claims[]
  /** The token responses, as sent. */
  readonly granted: Claims[]
  /** The sessions at the provider, one for each authorization. */
  readonly sids: string[]
  readonly answerAuthorize: (received: Received) => Promise<Answer>
  readonly answerToken: (received: Received) => Promise<Answer>
}

interface ProviderInput {
  readonly publicUrl: string
  /** Epoch seconds; the same clock as the service's. */
  readonly now: () => number
}

interface Deps extends ProviderInput {
  readonly idp: HostileIdp
}

export async function startProvider(t: TestContext, input: ProviderInput): Promise<Provider> {
  const idp = await startHostileIdp(t)
  const deps = { ...input, idp }
  const authorizations = new Map<string, Authorization>()
  const refreshTokens = new Map<string, Authorization>()
  const key = createKey('provider-1')
  idp.keys = [key.jwk]

  const provider: Provider = {
    idp,
    key,
    twist: {},
    atLogout: async () => {},
    asked: [],
    granted: [],
    sids: [],
    async answerAuthorize({ query }) {
      const claims = await verifyRequest(deps, query)
      provider.asked.push(claims)
      const count = provider.asked.length
      const sid = `provider-session-${count}`
      provider.sids.push(sid)
      const code = `canary-code-${count}`
      const { redirect_uri: redirectUri, code_challenge: codeChallenge, nonce, state } = claims
      authorizations.set(code, { redirectUri, codeChallenge, nonce, sid })
      const right = { code, state, iss: idp.issuer }
      return redirect(String(redirectUri), { ...right, ...provider.twist.callback?.(right) })
    },
    async answerToken({ headers, body }) {
      if (!(await authenticates(deps, headers.authorization, body))) return refuse('invalid_client', 401)
      const isRefresh = body.get('grant_type') === 'refresh_token'
      const held = isRefresh ? refreshTokens : authorizations
      const shown = String(body.get(isRefresh ? 'refresh_token' : 'code'))
      const found = held.get(shown)
      held.delete(shown) // Used up, whatever comes of it.
      if (found === undefined || !(isRefresh || fits(found, body))) return refuse('invalid_grant', 400)
      const tokens = await grant(deps, provider, isRefresh ? { ...found, nonce: undefined } : found)
      refreshTokens.set(String(tokens.refresh_token), found)
      return { body: tokens }
    },
  }
  const answerLogout = async ({ query }: Received): Promise<Answer> => {
    assert.ok(provider.granted.some(({ id_token: idToken }) => idToken === query.get('id_token_hint')))
    assert.equal(query.get('client_id'), CLIENT_ID)
    assert.equal(query.get('post_logout_redirect_uri'), `${input.publicUrl}/auth/logged-out`)
    await provider.atLogout()
    const right = { state: query.get('state') }
    return redirect(`${input.publicUrl}/auth/logged-out`, { ...right, ...provider.twist.landing?.(right) })
  }
  idp.on('/authorize', (received) => orExplain(provider.answerAuthorize(received)))
  idp.on('/token', (received) => provider.answerToken(received))
  idp.on('/logout', (received) => orExplain(answerLogout(received)))
  return provider
}

/** A failed assertion reaches the test as the answer to the browser. */
const orExplain = (answer: Promise<Answer>): Promise<Answer> =>
  answer.catch((error: unknown) => ({ status: 400, body: `the provider objects: ${error}` }))

const refuse = (error: string, status: number): Answer => ({ status, body: { error } })

function redirect(target: string, parameters: Claims): Answer {
  const url = new URL(target)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return { status: 302, headers: { location: url.href } }
}

/** RFC 9101 §6, and what FAPI 2.0 asks of a request object: everything signed, of now, for this provider alone. */
async function verifyRequest({ idp, publicUrl, now }: Deps, query: URLSearchParams): Promise<Claims> {
  assert.deepEqual([...query.keys()].toSorted(), ['client_id', 'request'])
  assert.equal(query.get('client_id'), CLIENT_ID)
  const { payload } = await jwtVerify(query.get('request') ?? '', await fetchKeys(publicUrl), {
    algorithms: ALGORITHMS,
    typ: 'oauth-authz-req+jwt',
    issuer: CLIENT_ID,
    currentDate: new Date(now() * 1000),
    requiredClaims: ['exp', 'iat', 'nbf', 'jti', 'state', 'nonce'],
  })
  const { aud, exp = 0, iat = 0, nbf = 0, scope } = payload
  assert.equal(aud, idp.issuer, 'the audience is the issuer alone, as a string')
  assert.ok(exp - iat <= 300 && nbf <= iat)
  assert.equal(payload.client_id, CLIENT_ID)
  assert.equal(payload.response_type, 'code')
  assert.equal(payload.redirect_uri, `${publicUrl}/auth/callback`)
  assert.ok(String(scope).split(' ').includes('openid'))
  assert.equal(payload.code_challenge_method, 'S256')
  assert.match(String(payload.code_challenge), /^[\w-]{43}$/)
  for (const name of ['sub', 'request', 'request_uri', 'client_secret', 'code_verifier', 'response_mode']) {
    assert.ok(!(name in payload), name)
  }
  return payload
}

/** The client's own, fetched as a provider would. */
async function fetchKeys(publicUrl: string) {
  const response = await fetch(`${publicUrl}/auth/jwks.json`)
  return createLocalJWKSet((await response.json()) as JSONWebKeySet) // Which checks it.
}

async function authenticates(deps: Deps, authorization: string | undefined, body: URLSearchParams): Promise<boolean> {
  const [method] = deps.idp.metadata.token_endpoint_auth_methods_supported as string[] // Set by this folder alone.
  if (body.has('client_secret')) return false
  if (method === 'client_secret_basic') {
    const pair = [CLIENT_ID, CLIENT_SECRET].map((part) => new URLSearchParams({ '': part }).toString().slice(1))
    return authorization === `Basic ${Buffer.from(pair.join(':')).toString('base64')}` && !body.has('client_assertion')
  }
  if (authorization !== undefined) return false
  return verifyAssertion(deps, body).then(
    () => true,
    () => false,
  )
}

/** RFC 7523 §3 and FAPI 2.0 Security Profile §5.3.3.1: the issuer is the one audience, as a string. */
async function verifyAssertion({ idp, publicUrl, now }: Deps, body: URLSearchParams): Promise<void> {
  assert.equal(body.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
  const { payload } = await jwtVerify(body.get('client_assertion') ?? '', await fetchKeys(publicUrl), {
    algorithms: ALGORITHMS,
    issuer: CLIENT_ID,
    subject: CLIENT_ID,
    currentDate: new Date(now() * 1000),
    requiredClaims: ['exp', 'iat', 'jti'],
  })
  assert.equal(payload.aud, idp.issuer)
}

function fits({ redirectUri, codeChallenge }: Authorization, body: URLSearchParams): boolean {
  const challenge = createHash('sha256')
    .update(String(body.get('code_verifier')))
    .digest('base64url')
  return body.get('redirect_uri') === redirectUri && challenge === codeChallenge
}

async function grant({ idp, now }: Deps, provider: Provider, { nonce, sid }: Authorization): Promise<Claims> {
  const { twist, key, granted } = provider
  const count = granted.length + 1
  const accessToken = `canary-access-token-${count}`
  const iat = Math.floor(now())
  const right = {
    iss: idp.issuer,
    aud: CLIENT_ID,
    sub: 'ada',
    sid,
    iat,
    exp: iat + 300,
    name: 'Ada',
    email: 'ada@example.com',
    at_hash: createHash('sha512').update(accessToken).digest().subarray(0, 32).toString('base64url'),
    ...(nonce !== undefined && { nonce }),
  }
  const claims = { ...right, ...twist.claims?.(right) }
  const header = { alg: 'EdDSA', kid: key.kid, ...twist.header }
  const tokens = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 900,
    refresh_token: `canary-refresh-token-${count}`,
    id_token: (await twist.idToken?.(claims, key)) ?? signJws(claims, key, header),
  }
  const sent: Claims = { ...tokens, ...twist.tokens?.(tokens) }
  granted.push(sent)
  return sent
}
