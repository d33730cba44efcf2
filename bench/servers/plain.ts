import { createServer } from 'node:http'
import replyFrom from '@fastify/reply-from'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Served } from './subject.ts'

/** Listens on a free loopback port. */
export async function listen(app: FastifyInstance): Promise<number> {
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

/** A route that answers JSON by its schema: what Fastify alone can do. */
export async function serveBare(): Promise<Served> {
  const app = Fastify()
  const schema = { response: { 200: { type: 'object', properties: { authenticated: { type: 'boolean' } } } } }
  app.get('/', { schema }, async () => ({ authenticated: false }))
  return { port: await listen(app) }
}

/** For a reverse proxy's question: always yes. */
export async function serveTrivialAuth(): Promise<Served> {
  const app = Fastify()
  app.get('/auth/verify', async (_request, reply) => reply.code(204).header('x-auth-subject', 'user').send())
  return { port: await listen(app) }
}

/** In node:http, so that it costs as little as it can: what is measured stands before it. */
export async function serveUpstream(): Promise<Served> {
  const body = Buffer.from(JSON.stringify({ orders: Array.from({ length: 10 }, (_, id) => ({ id, state: 'paid' })) }))
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const serverFactory = () => createServer((_request, response) => response.writeHead(200, headers).end(body))
  return { port: await listen(Fastify({ serverFactory })) }
}

/** What the service's proxy is built on, without the service. */
export async function serveReplyFrom(upstream: string): Promise<Served> {
  const app = Fastify()
  await app.register(replyFrom, { base: upstream, disableRequestLogging: true })
  app.get('/api/x/*', (_request, reply) => void reply.from('/1'))
  return { port: await listen(app) }
}
