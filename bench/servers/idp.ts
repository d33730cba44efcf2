import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import Fastify from 'fastify'
import { listen } from './plain.ts'
import type { Served } from './subject.ts'

const KEY_ID = 'bench'
const ACCESS_TOKEN_OCTETS = 525 // 700 characters

/**
 * Plays the IdP's part in callbacks and refreshes, and is faster at it than any real one, so that it is not what is
 * measured. A code is the nonce of its sign-in; a refresh token begins with its user and counts once.
 */
export async function serveIdp(): Promise<Served> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'EdDSA', use: 'sig' }] }
  const counts = { codes: 0, refreshes: 0, reused: 0 }
  const spent = new Set<string>()
  let issuer = ''

  const answerToken = (form: URLSearchParams): [status: number, body: object] => {
    if (form.get('grant_type') === 'authorization_code') {
      counts.codes += 1
      return [200, buildTokens(issuer, privateKey, `user-${counts.codes}`, form.get('code') ?? '')]
    }
    counts.refreshes += 1
    const shown = form.get('refresh_token') ?? ''
    if (spent.has(shown)) {
      counts.reused += 1
      return [400, { error: 'invalid_grant' }]
    }
    spent.add(shown)
    return [200, buildTokens(issuer, privateKey, shown.split('.')[0] ?? '')]
  }

  const answer = async (request: IncomingMessage): Promise<[status: number, body: object]> => {
    if (request.url === '/token') return answerToken(new URLSearchParams(await readBody(request)))
    return [200, request.url === '/jwks' ? jwks : buildMetadata(issuer)]
  }

  const serverFactory = () =>
    createServer((request, response) => {
      answer(request).then(
        ([status, body]) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        () => response.destroy(),
      )
    })
  const port = await listen(Fastify({ serverFactory }))
  issuer = `http://127.0.0.1:${port}`
  return { port, count: () => counts }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += chunk
  return body
}

const buildMetadata = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  id_token_signing_alg_values_supported: ['EdDSA'],
  token_endpoint_auth_methods_supported: ['client_secret_basic'],
  authorization_response_iss_parameter_supported: true,
})

/** @param nonce of the sign-in; absent after a refresh (OIDC Core §12.2) */
function buildTokens(issuer: string, key: KeyObject, sub: string, nonce?: string): object {
  const now = Math.floor(Date.now() / 1000)
  const claims = { sub, name: `User ${sub}`, email: `${sub}@example.com`, email_verified: true, locale: 'en' }
  const idToken = {
    iss: issuer,
    aud: 'bff',
    sid: `sid-of-${sub}`,
    iat: now,
    exp: now + 600,
    nonce,
    ...claims,
  }
  return {
    access_token: randomBytes(ACCESS_TOKEN_OCTETS).toString('base64url'),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: `${sub}.${randomBytes(24).toString('base64url')}`,
    id_token: signJwt(idToken, key),
    scope: 'openid profile email offline_access',
  }
}

function signJwt(claims: object, key: KeyObject): string {
  const input = [{ alg: 'EdDSA', kid: KEY_ID }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}
