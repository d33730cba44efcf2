import type { TestContext } from 'node:test'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose'
import { createService } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { BffError } from '../../src/errors.ts'
import type { Idp, IdpDeps } from '../../src/idp/idp.ts'
import { createIdp } from '../../src/idp/idp.ts'
import type { IdpMetadata } from '../../src/idp/metadata.ts'
import { createLog } from '../../src/log.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { baseEnv, createKey } from '../support/env.ts'

export const PUBLIC_URL = 'https://app.example.com'
export const SPA = 'https://spa.example.com:8443'
export const ISSUER = 'https://account.oten.test'
export const ENDPOINT = `${ISSUER}/v1/oauth/authorize`

/** As a browser navigates to a typed address. */
export const NAVIGATION = {
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
} as const

/** As a page on `PUBLIC_URL` fetches. */
export const FETCH = {
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
  accept: '*/*',
} as const

export interface StartService {
  readonly app: FastifyInstance
  readonly config: Config
  readonly logs: string[]
  readonly time: { now: number }
  /** Writes to the store until now. */
  readonly writes: string[]
  /** Set to let metadata fail. */
  idpError: BffError | undefined
  /** Set to let the store fail. */
  storeError: BffError | undefined
  get(url: string, headers?: Record<string, string>, more?: InjectOptions): Promise<LightMyRequestResponse>
  /** A fetch of `/auth/start` that must succeed, taken apart. */
  start(query?: string, headers?: Record<string, string>): Promise<Started>
}

export interface Started {
  readonly response: LightMyRequestResponse
  readonly url: URL
  readonly header: ProtectedHeaderParameters
  readonly claims: JWTPayload & Record<string, unknown>
  readonly jwt: string
}

/** The service on https without ports: the start needs nothing of the IdP but its metadata. */
export async function buildStart(t: TestContext, env: Record<string, string> = {}): Promise<StartService> {
  const config = loadConfig({
    ...baseEnv(),
    PUBLIC_URL,
    OTEN_ISSUER: ISSUER,
    JAR_KEYS: createKey().privateJwk,
    ALLOWED_ORIGINS: `${SPA},capacitor://localhost`,
    APPS: 'ios=https://app.example.com/signed-in,android=com.example.app:/signed-in',
    RATE_LIMIT_PER_MINUTE: '0',
    ...env,
  })
  const time = { now: 1_800_000_000.25 }
  const now = (): number => time.now
  const logs: string[] = []
  const { log } = createLog(config.logLevel, { write: (line: string) => void logs.push(line) })
  const writes: string[] = []
  const memory = createMemoryStore({ now })
  const store: Store = {
    ...memory,
    async set(key, value, ttlS) {
      if (service.storeError !== undefined) throw service.storeError
      writes.push(key)
      await memory.set(key, value, ttlS)
    },
  }
  const idp = createTestIdp(config, { now, log }, () => service.idpError)
  const { app } = await createService({ config, store, idp, log, now })
  t.after(async () => {
    await app.close()
    await idp.close()
    await memory.close()
  })

  const service: StartService = {
    app,
    config,
    logs,
    time,
    writes,
    idpError: undefined,
    storeError: undefined,
    get: (url, headers = {}, more = {}) => app.inject({ ...more, url, headers }),
    async start(query = '', headers = FETCH) {
      const response = await app.inject({ url: `/auth/start?${query}`, headers })
      if (response.statusCode !== 200) throw new Error(`${response.statusCode}: ${response.body}`)
      return takeApart(response, String(response.json<Record<string, unknown>>().authorization_url))
    },
  }
  return service
}

export function takeApart(response: LightMyRequestResponse, authorizationUrl: string): Started {
  const url = new URL(authorizationUrl)
  const jwt = url.searchParams.get('request') ?? ''
  return { response, url, jwt, header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) }
}

function createTestIdp(config: Config, deps: IdpDeps, fault: () => BffError | undefined): Idp {
  const idp = createIdp(config, deps)
  const metadata: IdpMetadata = {
    as: { issuer: ISSUER, authorization_endpoint: ENDPOINT },
    issuer: ISSUER,
    authorizationEndpoint: ENDPOINT,
    tokenEndpoint: `${ISSUER}/token`,
    jwksUri: `${ISSUER}/jwks`,
    endSessionEndpoint: undefined,
    revocationEndpoint: undefined,
    requiresIss: true,
    backchannelLogoutSupported: false,
    tokenAuthMethod: 'client_secret_basic',
  }
  const get = async (): Promise<IdpMetadata> => {
    const error = fault()
    if (error !== undefined) throw error
    return metadata
  }
  return { ...idp, metadata: { ...idp.metadata, get } }
}

export const idpDown = (): BffError => new BffError('idp_unavailable', 'discovery: no answer')
export const storeDown = (): BffError => new BffError('store_unavailable', 'no answer')

/** The JSON shape of every failure, and nothing of the request in it (contract §8). */
export function readError({ body }: LightMyRequestResponse): string {
  const { error, error_description: description, error_id: id, ...others } = JSON.parse(body) as Record<string, unknown>
  if (typeof error !== 'string' || typeof description !== 'string' || typeof id !== 'string') throw new Error(body)
  if (Object.keys(others).length > 0) throw new Error(`more than the error shape: ${body}`)
  return error
}
