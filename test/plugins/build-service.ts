import { hash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { createService } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { BffError } from '../../src/errors.ts'
import type { Idp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import type { NewSession } from '../../src/session/record.ts'
import { createSeal, type Seal } from '../../src/session/seal.ts'
import { createSessions, type Sessions } from '../../src/session/sessions.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { baseEnv, createKey } from '../support/env.ts'

export const PUBLIC_URL = 'https://bff.example.com'
export const SPA = 'https://app.example.com'
export const ISSUER = 'https://idp.example.net'

/** What only the server may know; no answer, log line or store entry shows one. */
export const CANARIES = {
  accessToken: 'canary-access-token',
  refreshToken: 'canary-refresh-token',
  idToken: 'canary-id-token',
  code: 'canary-authorization-code',
} as const

/** A store that forgets nothing by itself, so that every limit is the service's own; readable whole, and can be down. */
export interface TestStore extends Store {
  /** Thrown by every verb while set. */
  fault: Error | undefined
  /** All that it holds, by key. */
  dump(): Promise<Map<string, string>>
}

export function createTestStore(exclusive = true): TestStore {
  const inner = createMemoryStore({ now: () => 0 })
  const keys = new Set<string>()
  const own: Pick<TestStore, 'fault' | 'dump' | 'exclusive'> = {
    fault: undefined,
    exclusive,
    async dump() {
      const held = await Promise.all([...keys].map(async (key) => [key, await inner.get(key)] as const))
      return new Map(held.filter((entry): entry is readonly [string, string] => entry[1] !== undefined))
    },
  }
  return new Proxy(own as TestStore, {
    get(target, name: keyof Store & keyof TestStore) {
      const verb = name in target ? undefined : inner[name]
      if (typeof verb !== 'function') return target[name]
      return (...parts: [string, string, number]) => {
        if (target.fault !== undefined && name !== 'close') return Promise.reject(target.fault)
        if (typeof parts[0] === 'string') keys.add(parts[0])
        return (verb as (...all: readonly unknown[]) => unknown).apply(inner, parts)
      }
    },
  })
}

export const storeDown = (): BffError => new BffError('store_unavailable', 'the store is down')

/** An IdP that is up and says yes. */
function createTestIdp(now: () => number): Idp {
  const as = { issuer: ISSUER, authorization_response_iss_parameter_supported: true }
  const metadata = {
    as,
    issuer: ISSUER,
    authorizationEndpoint: `${ISSUER}/authorize`,
    tokenEndpoint: `${ISSUER}/token`,
    endSessionEndpoint: `${ISSUER}/end-session`,
    revocationEndpoint: `${ISSUER}/revoke`,
    requiresIss: true,
  }
  return {
    metadata: { get: async () => metadata, status: () => ({ state: 'ok' }), start: () => {}, close: () => {} },
    redeemCode: async () => ({
      idTokenClaims: { sub: 'ada', sid: 'idp-session-1', name: 'Ada', nonce: 'canary-nonce' },
      accessToken: CANARIES.accessToken,
      accessTokenExpiresAt: Math.floor(now()) + 900,
      refreshToken: CANARIES.refreshToken,
      idToken: CANARIES.idToken,
      scope: 'openid',
    }),
    refresh: async () => ({ kind: 'unavailable', reason: 'this IdP does not refresh' }),
    revoke: async () => true,
    close: async () => {},
  } as unknown as Idp // The members that a test reaches.
}

export interface ServiceOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly store?: TestStore
  readonly idp?: Partial<Idp>
}

/** The whole service without a socket: doubles for store and IdP, a clock that moves by argument. */
export interface Service {
  readonly app: FastifyInstance
  readonly admin: FastifyInstance
  readonly config: Config
  readonly store: TestStore
  readonly seal: Seal
  /** Beside the service's own and without a memory: plants sessions, and tells what the store holds. */
  readonly sessions: Sessions
  readonly logs: string[]
  readonly time: { now: number }
  readonly cookieName: string
  inject(options: InjectOptions): Promise<LightMyRequestResponse>
  /** A session made now. @returns its credential */
  plant(changes?: Partial<NewSession>): Promise<string>
  /** Start and callback, as a browser would. */
  signIn(options?: { query?: string; headers?: Record<string, string> }): Promise<LightMyRequestResponse>
  /** The log as objects. */
  entries(): Record<string, unknown>[]
}

export const newSession = (now: number, changes: Partial<NewSession> = {}): NewSession => ({
  kind: 'browser-cookie',
  issuer: ISSUER,
  sub: 'ada',
  sid: 'idp-session-1',
  claims: { name: 'Ada' },
  tokens: {
    accessToken: CANARIES.accessToken,
    accessTokenExpiresAt: now + 900,
    refreshToken: CANARIES.refreshToken,
    idToken: CANARIES.idToken,
    scope: 'openid',
    obtainedAt: now,
  },
  userAgent: 'test',
  ...changes,
})

const testEnv = (): Record<string, string> => ({
  ...baseEnv(),
  PUBLIC_URL,
  OTEN_ISSUER: ISSUER,
  JAR_KEYS: createKey().privateJwk,
  ALLOWED_ORIGINS: `${SPA},capacitor://localhost`,
  APPS: 'android=com.example.app:/signed-in',
})

export async function buildService(t: TestContext, options: ServiceOptions = {}): Promise<Service> {
  const time = { now: 1_800_000_000 }
  const now = (): number => time.now
  const config = loadConfig({ ...testEnv(), ...options.env })
  const store = options.store ?? createTestStore()
  const logs: string[] = []
  const { log } = createLog(config.logLevel, { write: (line: string) => void logs.push(line) })
  const deps = { config, store, idp: { ...createTestIdp(now), ...options.idp }, log, now }
  const { app, admin } = await createService(deps)
  t.after(() => Promise.all([app.close(), admin.close()]))
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const uncached = new Proxy(store, { get: (target, name: keyof TestStore) => name !== 'exclusive' && target[name] })
  const sessions = createSessions({ store: uncached, seal, events: createSessionEvents(store), config, now })
  const inject = async (request: InjectOptions): Promise<LightMyRequestResponse> => app.inject(request)
  return {
    app,
    admin,
    config,
    store,
    seal,
    sessions,
    logs,
    time,
    cookieName: config.secure ? '__Host-Http-oten_session' : 'oten_session',
    inject,
    plant: async (changes) => (await sessions.create(newSession(time.now, changes))).credential,
    signIn: ({ query = '', headers = {} } = {}) => signIn(inject, query, headers),
    entries: () => logs.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

/** What a request object says, unverified. */
export const readRequestObject = (authorizationUrl: string): Record<string, unknown> => {
  const jwt = new URL(authorizationUrl).searchParams.get('request') ?? ''
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

async function signIn(
  inject: Service['inject'],
  query: string,
  headers: Record<string, string>,
): Promise<LightMyRequestResponse> {
  const started = await inject({ url: `/auth/start?response=json&${query}`, headers })
  const { authorization_url: url } = started.json() as { authorization_url: string }
  const state = String(readRequestObject(url).state)
  const [transaction] = started.cookies
  const cookies = [headers.cookie, `${transaction?.name}=${transaction?.value}`].filter(Boolean).join('; ')
  const answer = new URLSearchParams({ code: CANARIES.code, state, iss: ISSUER })
  return inject({
    url: `/auth/callback?${answer}`,
    headers: { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', ...headers, cookie: cookies },
  })
}

/** What an app keeps, and what it shows at the start. */
export const VERIFIER = 'canary-verifier-of-the-app-with-43-characters'
export const APP_QUERY = `app=android&state=canary-app-state&code_challenge_method=S256&code_challenge=${hash('sha256', VERIFIER, 'base64url')}`

export const setCookiesOf = ({ headers }: LightMyRequestResponse): string[] => [headers['set-cookie'] ?? []].flat()
