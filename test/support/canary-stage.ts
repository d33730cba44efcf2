import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { WebSocketServer } from 'ws'
import type { ClientSpec } from '../../demo/idp/simulator.ts'
import { listen } from '../routes/build-proxy.ts'
import type { Answer, Browser } from './browser.ts'
import { type Canaries, createCanaries } from './canaries.ts'
import { CLIENT_SECRET, createKey, createSessionKey } from './env.ts'
import { type RedisServer, startRedis } from './redis.ts'
import { createWitness, type Witness } from './witness.ts'
import { createWorld, type World, type WorldOptions } from './world.ts'

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export const ADMIN_TOKEN = 'canary-admin-token:%2F+"9f27c1b8e4d6'
export const LOGIN_HINT = 'ada@canary-hint.example'
/** A secret that a page or a caller keeps in a query of its own. */
export const PAGE_DATA = 'canary-token-of-the-page-&7b3e90aa15c2'
export const CALLER_TEXT = 'canary-made-up-by-a-caller-51d0a7e3f4b8'
export const IDP_TEXT = 'canary-said-by-the-idp-c31f8e2468d0'

/** A world all of whose secrets are marked: those of its configuration at once, all others as they come. */
export interface Stage {
  readonly world: World
  readonly canaries: Canaries
  readonly witness: Witness
  readonly redis: RedisServer
  /** How the API at `/api/x` answers its next calls, one each; `{}` afterwards. */
  readonly apiAnswers: ApiAnswer[]
  browser(): Browser
  /** Starts a sign-in. @returns the authorization URL, what is in it marked */
  start(browser: Browser, query?: string): Promise<string>
  /** Starts, and passes the IdP. @returns the callback's URL, its code and state marked */
  reachCallback(browser: Browser, query?: string): Promise<string>
  /** The whole way; asserts that it succeeded. */
  signIn(browser: Browser, query?: string): Promise<Answer>
}

export type ApiAnswer = (request: IncomingMessage, response: ServerResponse) => void

/** @param options.tokenAuth how the service shows the IdP who it is; default basic */
export async function createStage(
  t: TestContext,
  level: string,
  { tokenAuth = 'client_secret_basic', ...options }: WorldOptions & Partial<Pick<ClientSpec, 'tokenAuth'>> = {},
): Promise<Stage> {
  const redisPassword = `canary-redis:${randomBytes(12).toString('base64')}@/%`
  const redis = await startRedis(t, ['--requirepass', redisPassword])
  const [sealKey, retiredKey, signingKey, assertionKey] = [
    createSessionKey(),
    createSessionKey(),
    createKey(),
    createKey(),
  ]
  const api = await startApi(t)
  const assertionJwk = {
    ...assertionKey.publicJwk,
    kty: 'OKP',
    kid: await calculateJwkThumbprint(assertionKey.publicJwk),
  }
  const world = await createWorld(t, {
    ...options,
    client: { tokenAuth, ...(tokenAuth === 'private_key_jwt' && { jwks: { keys: [assertionJwk] } }) },
    env: {
      OTEN_TOKEN_AUTH: tokenAuth,
      SESSION_KEYS: `${sealKey},${retiredKey}`,
      SESSION_STORE: redis.url.replace('//', `//:${encodeURIComponent(redisPassword)}@`),
      JAR_KEYS: signingKey.privateJwk,
      CLIENT_ASSERTION_KEYS: assertionKey.privateJwk,
      ADMIN_TOKEN,
      API_ROUTES: `/api/x=${api.url}`,
      BACKCHANNEL_LOGOUT: 'on',
      RATE_LIMIT_PER_MINUTE: '0',
      LOG_LEVEL: level,
      ...options.env,
    },
  })
  const canaries = createCanaries()
  canaries.mark('client-secret', CLIENT_SECRET)
  canaries.mark('redis-password', redisPassword)
  canaries.mark('admin-token', ADMIN_TOKEN)
  canaries.mark('page-data', PAGE_DATA)
  canaries.mark('login-hint', LOGIN_HINT)
  canaries.mark('caller-text', CALLER_TEXT)
  canaries.mark('idp-text', IDP_TEXT)
  for (const key of [sealKey, retiredKey]) canaries.markKey('session-keys', key)
  canaries.markKey('jar-key', readD(signingKey.privateJwk))
  canaries.markKey('assertion-key', readD(assertionKey.privateJwk))
  const witness = createWitness(world, canaries)
  api.onSeen((place, text) => witness.see(`the API: ${place}`, text))
  markTokenRequests(t, canaries, options.env?.OTEN_ISSUER ?? world.simulator.issuer)
  markTokens(world, canaries)
  return { world, canaries, witness, redis, apiAnswers: api.answers, ...createSteps(canaries, witness) }
}

const readD = (privateJwk: string): string => (JSON.parse(privateJwk) as { d: string }).d

/** An API that does as it is told, and tells what it was shown. */
async function startApi(t: TestContext) {
  const answers: ApiAnswer[] = []
  let tell: (place: string, text: string) => void = () => {}
  const note = ({ headers, url = '' }: IncomingMessage): void => {
    tell('target', url)
    for (const [name, value] of Object.entries(headers)) tell(name, String(value))
  }
  const { server, url } = await listen(t, (request, response) => {
    note(request)
    request.resume()
    const answer = answers.shift() ?? (() => void response.end('{}'))
    answer(request, response)
  })
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    note(request)
    if (request.url?.includes('refused')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    if (request.url?.includes('broken')) return void socket.destroy()
    sockets.handleUpgrade(request, socket, head, (opened) => opened.send('welcome'))
  })
  const onSeen = (listener: typeof tell): void => {
    tell = listener
  }
  return { url, answers, onSeen }
}

/** What is sent to the token endpoint and cannot be had elsewhere: the verifier, and how the client shows who it is. */
function markTokenRequests(t: TestContext, canaries: Canaries, issuer: string): void {
  const onRequest = (message: unknown): void => {
    const { request } = message as {
      request: { origin: string | URL; method: string; body: Buffer | null; headers: string[] }
    }
    if (request.method !== 'POST' || String(request.origin) !== issuer) return
    const body = new URLSearchParams(String(request.body ?? ''))
    const [verifier, assertion] = [body.get('code_verifier'), body.get('client_assertion')]
    if (verifier !== null) canaries.mark('code-verifier', verifier)
    if (assertion !== null) canaries.markJws('client-assertion', assertion)
    const basic = /Basic (\S+)/.exec(String(request.headers))?.[1]
    if (basic !== undefined) canaries.mark('client-credentials', basic, Buffer.from(basic, 'base64').toString())
  }
  subscribe('undici:request:create', onRequest)
  t.after(() => unsubscribe('undici:request:create', onRequest))
}

function markTokens({ simulator }: World, canaries: Canaries): void {
  simulator.faults.alterTokenResponse = (body) => {
    const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken } = body
    if (typeof accessToken === 'string') canaries.mark('access-token', accessToken)
    if (typeof refreshToken === 'string') canaries.mark('refresh-token', refreshToken)
    if (typeof idToken === 'string') canaries.markJws('id-token', idToken, { nonce: 'nonce', at_hash: 'id-token' })
    return body
  }
}

function createSteps(canaries: Canaries, witness: Witness) {
  const browser = (): Browser => {
    const own = witness.browser()
    for (const name of ['request', 'navigate', 'fetch'] as const) {
      const original = own[name]
      own[name] = async (...parts) => {
        const answer = await original(...parts)
        for (const line of answer.setCookies) markCookie(canaries, line)
        return answer
      }
    }
    return own
  }
  const start: Stage['start'] = async (own, query = '') => {
    const started = await own.fetch(`/auth/start?${query}`)
    assert.equal(started.status, 200, started.text)
    const url = String(started.json().authorization_url)
    const jws = new URL(url).searchParams.get('request') ?? undefined
    canaries.markJws('request-object', jws, {
      state: 'state',
      nonce: 'nonce',
      jti: 'jti',
      code_challenge: 'request-object',
    })
    return url
  }
  const reachCallback: Stage['reachCallback'] = async (own, query) => {
    const callback = await own.passIdp(await start(own, query), 'ada')
    const code = new URL(callback).searchParams.get('code')
    if (code !== null) canaries.mark('code', code)
    return callback
  }
  const signIn: Stage['signIn'] = async (own, query) => {
    const answer = await own.navigate(await reachCallback(own, query))
    assert.equal(answer.status, 303, answer.text)
    assert.doesNotMatch(String(answer.location), /error=/)
    return answer
  }
  return { browser, start, reachCallback, signIn }
}

/** Session credentials without their two letters as well: so nothing that holds the rest of one passes. */
function markCookie(canaries: Canaries, line: string): void {
  const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
  if (value === '') return // One that is deleted.
  if (name.includes('oten_tx_')) canaries.mark('transaction-cookie', value, value.split('.')[1])
  else canaries.mark('session-cookie', value, value.slice(2))
}
