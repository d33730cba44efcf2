import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JWK } from 'jose'
import { type ClientSpec, createClientRegistry, toClientMetadata } from './clients.ts'
import { type Clock, createClock } from './clock.ts'
import { answerControl } from './control.ts'
import { createFaults, type Faults } from './faults.ts'
import { createMemoryStore } from './memory-adapter.ts'
import { addMiddleware } from './middleware.ts'
import { acceptOpaqueSecrets } from './opaque-secrets.ts'
import { createProvider, DEFAULT_LIFETIMES, type Lifetimes } from './provider.ts'
import { createReplayGuard } from './request-object-rules.ts'
import { authorizationsOf, createSessionEnder, type EndedSessions } from './sessions.ts'
import { createSigningKeys, type JsonObject, type SignMode } from './signing-keys.ts'
import { createStats, type Stats } from './stats.ts'
import { takeOverSigning } from './take-over-signing.ts'

export type { ClientSpec } from './clients.ts'
export type { Clock } from './clock.ts'
export type { AlteredToken, Fault, Faults } from './faults.ts'
export type { Lifetimes } from './provider.ts'
export type { EndedSessions } from './sessions.ts'
export type { JsonObject, SignMode } from './signing-keys.ts'
export type { RefusedRequest, Stats } from './stats.ts'

export interface SimulatorOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** The address to listen at; default `127.0.0.1`. */
  readonly host?: string
  /** The host in the issuer, when browsers use another name than `host`, e.g. `localhost`. */
  readonly issuerHost?: string
  readonly clients?: readonly ClientSpec[]
  /** One line for each refusal and failure; never a token. Default: silence. */
  readonly log?: (line: string) => void
  /** Lifetimes in seconds. */
  readonly ttl?: Partial<Lifetimes>
  /** Default true; a refresh token that comes back after its use then ends its whole family. */
  readonly rotateRefreshToken?: boolean
  /** The name under which ID tokens are signed with Ed25519; default `EdDSA`, as Oten does. */
  readonly idTokenAlg?: 'EdDSA' | 'Ed25519'
  /** `iss` in the authorization response (RFC 9207) and its announcement in the metadata; default true. */
  readonly authorizationResponseIss?: boolean
  /** Members of the discovery document that differ from the start; `undefined` takes one away. */
  readonly advertise?: JsonObject
  /** Whether `/control/…` answers over HTTP; default false. */
  readonly control?: boolean
}

export interface Simulator {
  readonly issuer: string
  /** The same as `issuer`, for those who only want to reach it. */
  readonly url: string
  readonly port: number
  /** Ends all connections, hung ones too, and puts the clock back. */
  close(): Promise<void>
  /** Registers a client, or replaces the one of the same id. @throws {Error} when the provider refuses it */
  addClient(spec: ClientSpec): Promise<void>
  readonly stats: Stats
  readonly faults: Faults
  readonly clock: Clock
  /** Ends sessions as an administrator would: logout tokens to all their clients, and all their tokens revoked. */
  endSession(target: { readonly sub: string } | { readonly sid: string }): Promise<EndedSessions>
  /** What the JWKS endpoint publishes. */
  readonly publicJwks: { keys: JWK[] }
  /** The signing key with its private part, for tests that forge tokens. */
  readonly privateJwk: JWK
  /** Signs any claims as the simulator would, or wrongly on purpose; `header` adds to `alg` and `kid`. */
  signJwt(claims: JsonObject, header?: JsonObject, mode?: SignMode): string
  /** A new key signs from now on; the old one stays published unless `keepOld` is false. @returns its `kid` */
  rotateSigningKey(options?: { readonly keepOld?: boolean }): string
}

/**
 * Starts a simulator of Oten on `oidc-provider`, with Oten's rules for request objects enforced.
 *
 * @throws {Error} with `code` `EADDRINUSE` when the port is taken, or when a client is not valid
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const host = options.host ?? '127.0.0.1'
  let answer: RequestListener = (_req, res) => void res.writeHead(503).end()
  const server = createServer((req, res) => answer(req, res))
  server.keepAliveTimeout = 65_000 // Longer than any client keeps one, so that none is closed under a request.
  const port = await listen(server, options.port ?? 0, host)
  try {
    const issuer = `http://${hostForUrl(options.issuerHost ?? host)}:${port}`
    const { simulator, listener } = await createSimulator(options, server, issuer, port)
    answer = listener
    return simulator
  } catch (cause) {
    server.close()
    throw cause
  }
}

async function createSimulator(
  options: SimulatorOptions,
  server: Server,
  issuer: string,
  port: number,
): Promise<{ simulator: Simulator; listener: RequestListener }> {
  const { log = () => undefined, idTokenAlg = 'EdDSA', rotateRefreshToken = true, advertise = {} } = options
  const lifetimes = { ...DEFAULT_LIFETIMES, ...options.ttl }
  const { authorizationResponseIss = true, control = false } = options
  const store = createMemoryStore()
  const keys = createSigningKeys(idTokenAlg)
  const faults = createFaults()
  const stats = createStats()
  const clock = createClock()
  const clients = createClientRegistry()
  const replayGuard = createReplayGuard()
  const provider = createProvider({ issuer, store, keys, lifetimes, rotateRefreshToken })
  takeOverSigning(provider, keys, faults)
  acceptOpaqueSecrets(provider, clients)
  const sessions = createSessionEnder(provider, store, stats, log)
  const own = { authorizationResponseIss, advertise }
  addMiddleware({ provider, issuer, clients, replayGuard, keys, sessions, faults, stats, log, ...own })

  const simulator: Simulator = {
    issuer,
    url: issuer,
    port,
    stats,
    faults,
    clock,
    async addClient(spec) {
      const metadata = toClientMetadata(spec, idTokenAlg)
      await provider.Client.validate(metadata).catch((cause: Error & { error_description?: string }) => {
        throw new Error(`client ${spec.clientId}: ${cause.error_description ?? cause.message}`, { cause })
      })
      store.put('Client', spec.clientId, metadata)
      clients.add(spec)
    },
    endSession: (target) =>
      sessions.end(
        (session) =>
          'sub' in target
            ? session.accountId === target.sub
            : authorizationsOf(session).some(([, { sid }]) => sid === target.sid),
        { everything: true },
      ),
    get publicJwks() {
      return keys.publicJwks()
    },
    get privateJwk() {
      return keys.currentJwk()
    },
    signJwt: (claims, header, mode) => keys.sign(claims, header, mode),
    rotateSigningKey: ({ keepOld = true } = {}) => keys.rotate(keepOld),
    async close() {
      clock.restore()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  for (const spec of options.clients ?? []) await simulator.addClient(spec)

  const callback = provider.callback()
  const listener: RequestListener = (req, res) => {
    req.headers.host = new URL(issuer).host // One issuer, by whatever name it was reached.
    if (control && req.url?.startsWith('/control/')) void answerControl(simulator, req, res)
    else void callback(req, res)
  }
  return { simulator, listener }
}

function hostForUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening') // Rejects with the error of `listen`.
  return (server.address() as AddressInfo).port // Listening on TCP, so not a path.
}
