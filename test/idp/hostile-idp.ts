import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** One request as the IdP saw it. `connection` numbers the sockets, so that a reused one shows. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: URLSearchParams
  readonly connection: number
}

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string | string[]>
  /** An object goes out as JSON, a string as it is. */
  readonly body?: unknown
}

/** Returns what to answer, or answers (or not) by itself and returns nothing. */
export type Handler = (received: Received, response: ServerResponse) => Answer | undefined | Promise<Answer | undefined>

export interface HostileIdp {
  readonly issuer: string
  readonly port: number
  readonly requests: Received[]
  /** The discovery document; change it at will. */
  readonly metadata: Record<string, unknown>
  /** What `/jwks` serves; change it at will. */
  keys: unknown[]
  /** Replaces what an endpoint does, from now on. */
  on(path: string, handler: Handler): void
  count(path: string): number
  /** The latest request to this path. */
  last(path: string): Received
  stop(): Promise<void>
  /** Listens again, on the same port. */
  restart(): Promise<void>
}

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: Record<string, unknown>
}

/** @param kid also in the JWK, which has no `alg`, so that both names fit */
export function createKey(kid: string, curve: 'ed25519' | 'ed448' = 'ed25519'): TestKey {
  const { privateKey, publicKey } = curve === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448')
  return { kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } }
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A compact JWS of anything: header and payload may be objects, or text that is no JSON at all. */
export function signJws(payload: unknown, key: TestKey, header: unknown = { alg: 'EdDSA', kid: key.kid }): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`
}

const ENDPOINTS = {
  authorization_endpoint: '/authorize',
  token_endpoint: '/token',
  jwks_uri: '/jwks',
  end_session_endpoint: '/logout',
  revocation_endpoint: '/revoke',
}

/** An IdP that does what a test tells it, over real HTTP on loopback. Well-behaved until told otherwise. */
export async function startHostileIdp(t: TestContext): Promise<HostileIdp> {
  const requests: Received[] = []
  const handlers = new Map<string, Handler>()
  const connections = new WeakMap<object, number>()
  let connectionCount = 0
  const server = createServer((request, response) => {
    void respond(request, response)
  })
  server.on('connection', (socket) => {
    connectionCount += 1
    connections.set(socket, connectionCount)
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '/', 'http://idp.test')
    const received: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: new URLSearchParams(Buffer.concat(chunks).toString()),
      connection: connections.get(request.socket) ?? 0,
    }
    requests.push(received)
    const handler: Handler = handlers.get(url.pathname) ?? (() => ({ status: 404 }))
    const answer = await handler(received, response)
    if (answer === undefined) return
    const { status = 200, headers = {}, body = '' } = answer
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  }

  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', () => resolve())
    })
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  await listen(0)
  t.after(stop)

  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  const metadata: Record<string, unknown> = {
    issuer,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    id_token_signing_alg_values_supported: ['EdDSA'],
    token_endpoint_auth_methods_supported: ['client_secret_basic'],
    ...Object.fromEntries(Object.entries(ENDPOINTS).map(([name, path]) => [name, `${issuer}${path}`])),
  }
  const idp: HostileIdp = {
    issuer,
    port,
    requests,
    metadata,
    keys: [],
    on: (path, handler) => {
      handlers.set(path, handler)
    },
    count: (path) => requests.filter((received) => received.path === path).length,
    last(path) {
      const received = requests.findLast((candidate) => candidate.path === path)
      if (received === undefined) throw new Error(`no request to ${path}`)
      return received
    },
    stop,
    restart: () => listen(port),
  }
  idp.on('/.well-known/openid-configuration', () => ({ body: metadata }))
  idp.on('/jwks', () => ({ body: { keys: idp.keys } }))
  idp.on('/revoke', () => ({}))
  return idp
}
