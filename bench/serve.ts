import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance } from 'fastify'
import { createService } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { createIdp } from '../src/idp/idp.ts'
import { createLog } from '../src/log.ts'
import { createSessionEvents } from '../src/session/events.ts'
import { createSeal } from '../src/session/seal.ts'
import { createSessions } from '../src/session/sessions.ts'
import { openStore } from '../src/store/index.ts'
import { baseEnv } from '../test/support/env.ts'

/**
 * One server in a process of its own. `bare`: Fastify and a route that answers JSON; `trivial-auth`: the same with 204 for
 * every question; `upstream`: a small API; `reply-from`: @fastify/reply-from before it and nothing else. The service's
 * main listener over `memory` or `file`, or as `proxy` before the API; its inner one as `verify`.
 */
const [kind = 'bare', count = '1000', upstream = ''] = process.argv.slice(2)

/** What a signed-in user's tokens weigh at Oten: an access token like a JWT, an ID token signed with Ed25519. */
const TOKENS = {
  accessToken: 'a'.repeat(700),
  accessTokenExpiresAt: Date.now() / 1000 + 3600,
  refreshToken: 'r'.repeat(43),
  idToken: 'i'.repeat(600),
  scope: 'openid profile email',
  obtainedAt: Date.now() / 1000,
}

/** How many different sessions the load asks for. */
const ASKED_MAX = 2000

interface Served {
  readonly app: FastifyInstance
  readonly credentials: readonly string[]
}

async function serveBare(): Promise<Served> {
  const app = Fastify()
  const schema = { response: { 200: { type: 'object', properties: { authenticated: { type: 'boolean' } } } } }
  app.get('/', { schema }, async () => ({ authenticated: false }))
  return { app, credentials: [] }
}

async function serveTrivialAuth(): Promise<Served> {
  const app = Fastify()
  app.get('/auth/verify', async (_request, reply) => reply.code(204).header('x-auth-subject', 'user').send())
  return { app, credentials: [] }
}

/** In node:http, so that it costs as little as it can: what is measured stands before it. */
async function serveUpstream(): Promise<Served> {
  const body = Buffer.from(JSON.stringify({ orders: Array.from({ length: 10 }, (_, id) => ({ id, state: 'paid' })) }))
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const serverFactory = () => createServer((_request, response) => response.writeHead(200, headers).end(body))
  return { app: Fastify({ serverFactory }), credentials: [] }
}

async function serveReplyFrom(): Promise<Served> {
  const app = Fastify()
  await app.register(replyFrom, { base: upstream, disableRequestLogging: true })
  app.get('/api/x/*', (_request, reply) => void reply.from('/1'))
  return { app, credentials: [] }
}

async function serveService(): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const now = (): number => Date.now() / 1000
  const config = loadConfig({
    ...baseEnv(),
    PUBLIC_URL: 'http://localhost:8080',
    OTEN_ISSUER: 'http://127.0.0.1:1',
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_ALG: 'HS256',
    LOG_LEVEL: 'warn',
    SESSION_STORE: kind === 'memory' ? 'memory:' : `file:${join(folder, 'sessions.db')}`,
    ...(upstream !== '' && { API_ROUTES: `/api/x=${upstream}` }),
  })
  const { log } = createLog(config.logLevel)
  const store = await openStore(config.session.store, { now })
  const service = await createService({ config, store, idp: createIdp(config, { now, log }), log, now })
  // Filled by the module that the service uses, on the same store; the service has read none of them yet.
  const sessions = createSessions({
    store,
    seal: createSeal(() => config.secrets.current().sessionKeys),
    events: createSessionEvents(store),
    config,
    now,
  })
  const credentials: string[] = []
  for (let index = 0; index < Number(count); index++) {
    const claims = { name: `User ${index}`, email: `user${index}@example.com`, email_verified: true, locale: 'en' }
    const user = { issuer: config.idp.issuer, sub: `user-${index}`, sid: `sid-${index}`, claims, tokens: TOKENS }
    const { credential } = await sessions.create({ ...user, kind: 'browser-cookie', userAgent: 'Mozilla/5.0 (bench)' })
    if (credentials.length < ASKED_MAX) credentials.push(credential)
  }
  return { app: kind === 'verify' ? service.admin : service.app, credentials }
}

const KINDS: Readonly<Record<string, () => Promise<Served>>> = {
  bare: serveBare,
  'trivial-auth': serveTrivialAuth,
  upstream: serveUpstream,
  'reply-from': serveReplyFrom,
}
const { app, credentials } = await (KINDS[kind] ?? serveService)()
const address = await app.listen({ host: '127.0.0.1', port: 0 })
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }))
process.on('disconnect', () => process.exit(0))
process.send?.({ port: Number(new URL(address).port), credentials })
