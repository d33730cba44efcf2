import type { TestContext } from 'node:test'
import * as oauth from 'oauth4webapi'
import type { Config, Secrets, SigningKey } from '../../src/config.ts'
import { createIdp, type Idp, type IdpDeps } from '../../src/idp/idp.ts'
import type { RedeemInput } from '../../src/idp/tokens.ts'
import { createKey, type HostileIdp, signJws, startHostileIdp, type TestKey } from './hostile-idp.ts'

export const CLIENT_ID = '6f1a7c5e-client'
export const CLIENT_SECRET = 'canary-client-secret-0123456789abcdef'
export const NONCE = 'canary-nonce-of-the-transaction'
export const REDIRECT_URI = 'https://app.example.com/auth/callback'
export const CODE = 'canary-code'
export const CODE_VERIFIER = 'canary-code-verifier-that-has-43-characters-'

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

/** A log that keeps its lines. */
export function createTestLog() {
  const lines: LogLine[] = []
  const write = (level: LogLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message })
  }
  return { lines, info: write('info'), warn: write('warn'), error: write('error') }
}

export interface World {
  readonly hostile: HostileIdp
  /** The IdP's signing key, already served at `/jwks`. */
  readonly key: TestKey
  readonly idp: Idp
  /** Epoch seconds, moved by tests. */
  readonly time: { now: number }
  readonly log: ReturnType<typeof createTestLog>
  /** Changed by tests to rotate. */
  readonly secrets: { current: Secrets }
  /** A good ID token's claims. */
  claims(changes?: Record<string, unknown>): Record<string, unknown>
  /** Lets `/token` answer like a good IdP, with these members changed. */
  grant(changes?: Record<string, unknown>): void
  /** What the callback hands over, for `CODE`. */
  redeemInput(changes?: Partial<RedeemInput>): RedeemInput
}

export function createSigningKey(kid: string, alg: 'EdDSA' | 'Ed25519' = 'EdDSA'): SigningKey {
  const { privateKey, jwk } = createKey(kid)
  return { kid, privateKey, publicJwk: { kty: 'OKP', crv: 'Ed25519', x: String(jwk.x), kid, alg, use: 'sig' } }
}

/** The module as the service wires it, against a hostile IdP. */
export async function buildIdp(
  t: TestContext,
  changes: Partial<Config['idp']> & { secrets?: Partial<Secrets>; metrics?: IdpDeps['metrics'] } = {},
) {
  const { secrets: secretChanges, metrics, ...idpChanges } = changes
  const hostile = await startHostileIdp(t)
  const key = createKey('idp-1')
  hostile.keys = [key.jwk]
  const time = { now: Math.floor(Date.now() / 1000) }
  const log = createTestLog()
  const noKeys = { jarKeys: [], assertionKeys: [], sessionKeys: [], adminToken: undefined }
  const secrets = { current: { clientSecret: CLIENT_SECRET, ...noKeys, ...secretChanges } as Secrets }
  const idp = createIdp(
    {
      idp: {
        issuer: hostile.issuer,
        allowInsecureIssuer: true,
        clientId: CLIENT_ID,
        tokenAuth: 'auto',
        scope: 'openid profile',
        backchannelLogout: 'auto',
        postLogoutRedirectUri: 'https://app.example.com/auth/logged-out',
        ...idpChanges,
      },
      requestObject: { alg: 'EdDSA', ttlS: 120, backdateS: 5, typ: 'oauth-authz-req+jwt', audience: undefined },
      secrets: { current: () => secrets.current, watch: () => () => {} },
    },
    { now: () => time.now, log, metrics },
  )
  t.after(() => idp.close())

  const claims = (changed: Record<string, unknown> = {}) => ({
    iss: hostile.issuer,
    aud: CLIENT_ID,
    sub: 'alice',
    iat: time.now,
    exp: time.now + 300,
    nonce: NONCE,
    ...changed,
  })
  const world: World = {
    hostile,
    key,
    idp,
    time,
    log,
    secrets,
    claims,
    grant(members = {}) {
      hostile.on('/token', () => ({
        body: {
          access_token: 'canary-access-token',
          token_type: 'Bearer',
          expires_in: 900,
          id_token: signJws(claims(), key),
          ...members,
        },
      }))
    },
    redeemInput(inputChanges = {}) {
      return {
        parameters: createParameters(hostile.issuer),
        redirectUri: REDIRECT_URI,
        codeVerifier: CODE_VERIFIER,
        nonce: NONCE,
        scope: 'openid profile',
        ...inputChanges,
      }
    },
  }
  world.grant()
  return world
}

/** The callback's query after oauth4webapi checked it; only its own result is accepted by the code grant. */
function createParameters(issuer: string): URLSearchParams {
  const query = new URLSearchParams({ code: CODE, state: 'state-1' })
  return oauth.validateAuthResponse({ issuer }, { client_id: CLIENT_ID }, query, 'state-1')
}
