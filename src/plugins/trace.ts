import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Tracing } from '../tracing.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** This request's place in a trace, for whoever is asked in its name; null while nothing is traced. */
    traceparent: string | null
  }
}

/** A span for each request, from its first octet to the end of its answer, in the trace that the caller has begun. */
export const trace = fp(async (app: FastifyInstance, { tracing }: { readonly tracing?: Tracing | undefined }) => {
  app.decorateRequest('traceparent', null)
  if (tracing === undefined) return
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, routeOptions, id } = request
    const route = routeOptions.url
    const span = tracing.startRequest(route === undefined ? method : `${method} ${route}`, headers.traceparent, {
      'http.request.method': method,
      // What the user is shown as `error_id`, and every line of the log has.
      'oten_bff.request_id': id,
      ...(route !== undefined && { 'http.route': route }),
    })
    request.traceparent = span.traceparent
    reply.raw.once('close', () => span.end(reply.raw.statusCode))
    span.run(done)
  })
})
