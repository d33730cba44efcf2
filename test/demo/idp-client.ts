import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type JSONWebKeySet, type JWK, SignJWT } from 'jose'
import {
  type ClientSpec,
  type JsonObject,
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../demo/idp/simulator.ts'

export const SECRET = 'test-secret-of-more-than-32-octets-é'
export const REDIRECT_URI = 'http://localhost:9/auth/callback'
export const LOGGED_OUT_URI = 'http://localhost:9/auth/logged-out'
export const VERIFIER = 'a'.repeat(43)
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
export const CLIENT_KEY = privateKey
export const CLIENT_JWKS: JSONWebKeySet = {
  keys: [{ ...(publicKey.export({ format: 'jwk' }) as JWK), kid: 'client-1' } as JSONWebKeySet['keys'][number]],
}

const common = { redirectUris: [REDIRECT_URI], postLogoutRedirectUris: [LOGGED_OUT_URI] }
export const HS256: ClientSpec = {
  ...common,
  clientId: 'hs',
  clientSecret: SECRET,
  requestObjectAlg: 'HS256',
  tokenAuth: 'client_secret_post',
}
export const EDDSA: ClientSpec = {
  ...common,
  clientId: 'ed',
  jwks: CLIENT_JWKS,
  requestObjectAlg: 'EdDSA',
  tokenAuth: 'private_key_jwt',
}

/** A simulator that ends with the test. */
export async function start(t: TestContext, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ clients: [HS256, EDDSA], ...options })
  t.after(() => simulator.close())
  return simulator
}

export const now = (): number => Math.floor(Date.now() / 1000)

/** Claims of a request object to which Oten has no objection; `undefined` takes a claim away. */
export function claimsFor(simulator: Simulator, clientId = 'hs', changes: JsonObject = {}): JsonObject {
  return {
    iss: clientId,
    aud: simulator.issuer,
    iat: now(),
    exp: now() + 120,
    jti: randomUUID(),
    client_id: clientId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid profile email',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  }
}

export interface SignOptions {
  readonly header?: JsonObject
  readonly secret?: string
  readonly key?: typeof CLIENT_KEY
}

export async function signRequestObject(claims: JsonObject, alg: string, options: SignOptions = {}): Promise<string> {
  const key = alg === 'HS256' ? new TextEncoder().encode(options.secret ?? SECRET) : (options.key ?? CLIENT_KEY)
  const kid = alg === 'HS256' ? {} : { kid: 'client-1' }
  return new SignJWT(claims)
    .setProtectedHeader({ typ: 'oauth-authz-req+jwt', ...kid, ...options.header, alg })
    .sign(key)
}

/** Address to which the client sends a browser. */
export async function authorizationUrl(
  simulator: Simulator,
  { clientId = 'hs', alg = 'HS256', changes = {} }: { clientId?: string; alg?: string; changes?: JsonObject } = {},
): Promise<string> {
  const request = await signRequestObject(claimsFor(simulator, clientId, changes), alg)
  return urlWith(simulator, { client_id: clientId, request })
}

export function urlWith(simulator: Simulator, query: Record<string, string>): string {
  return `${simulator.issuer}/v1/oauth/authorize?${new URLSearchParams(query)}`
}

export interface Browser {
  fetch(url: string, init?: RequestInit): Promise<Response>
  /** Follows redirects on the simulator. @returns the first answer that is no redirect, or leads elsewhere */
  follow(url: string, init?: RequestInit): Promise<Response>
  /** Signs in with the form. @returns the address at the client to which the browser is sent */
  signIn(url: string, login?: string, action?: string): Promise<URL>
}

/** Enough of a browser: cookies by name and path, and forms. */
export function createBrowser(): Browser {
  const cookies = new Map<string, { path: string; value: string }>()

  const visit = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(url)
    const cookie = [...cookies]
      .filter(([, { path }]) => path === '/' || pathname === path || pathname.startsWith(`${path}/`))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split('=', 2)
      const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/'
      if (value === '') cookies.delete(name)
      else cookies.set(name, { path, value })
    }
    return response
  }

  const follow = async (url: string, init: RequestInit = {}): Promise<Response> => {
    let response = await visit(url, init)
    for (let hops = 0; hops < 5; hops += 1) {
      const location = response.headers.get('location')
      if (location === null) return response
      const target = new URL(location, url)
      if (target.origin !== new URL(url).origin) return response
      await response.body?.cancel()
      response = await visit(target.href)
      url = target.href
    }
    return response
  }

  return {
    fetch: visit,
    follow,
    async signIn(url, login = 'ada', action = 'allow') {
      const first = await visit(url)
      assert.equal(first.status, 303, await first.text())
      const page = new URL(String(first.headers.get('location')), url).href
      const form = await visit(page)
      assert.equal(form.status, 200)
      const answer = await follow(page, { method: 'POST', body: new URLSearchParams({ login, action }) })
      return new URL(String(answer.headers.get('location')))
    },
  }
}

export interface TokenAnswer {
  readonly status: number
  readonly body: Record<string, string>
}

/** A request to the token endpoint as the client `hs`. */
export async function requestTokens(simulator: Simulator, parameters: Record<string, string>): Promise<TokenAnswer> {
  const response = await fetch(`${simulator.issuer}/v1/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: 'hs', client_secret: SECRET, ...parameters }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, string> }
}

export function redeem(simulator: Simulator, callback: URL): Promise<TokenAnswer> {
  const code = String(callback.searchParams.get('code'))
  const grant = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: VERIFIER }
  return requestTokens(simulator, grant)
}

export function refresh(simulator: Simulator, refreshToken: string | undefined): Promise<TokenAnswer> {
  return requestTokens(simulator, { grant_type: 'refresh_token', refresh_token: String(refreshToken) })
}

/** A whole sign-in as the client `hs`. */
export async function signIn(
  simulator: Simulator,
  {
    browser = createBrowser(),
    login = 'ada',
    changes = {},
  }: { browser?: Browser; login?: string; changes?: JsonObject } = {},
): Promise<TokenAnswer> {
  return redeem(simulator, await browser.signIn(await authorizationUrl(simulator, { changes }), login))
}

export function decode(jwt: string | undefined, part: 0 | 1 = 1): JsonObject {
  return JSON.parse(Buffer.from(String(jwt).split('.')[part] ?? '', 'base64url').toString()) as JsonObject
}

/** A server of the client's own, which ends with the test. */
export async function serve(
  t: TestContext,
  answer: (path: string, body: string) => { status: number; body: string },
): Promise<string> {
  const server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const { status, body } = answer(String(req.url), Buffer.concat(chunks).toString())
      res.writeHead(status).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
