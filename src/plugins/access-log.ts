import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Longest part of a path that is logged. */
const PATH_MAX = 200

/**
 * One line per request, when it is answered. The route's pattern, or the path without its query: the queries of
 * callback, logout and handoff hold codes, states and tickets (LG-01).
 */
export const accessLog = fp(async (app: FastifyInstance) => {
  if (!isInfoEnabled(app.log)) return // Nothing would come of it but the cost.
  app.addHook('onResponse', (request, reply, done) => {
    const { method, ip, session } = request
    const ms = Math.round(reply.elapsedTime * 10) / 10
    // The public id, which opens nothing, ties the requests of a session together (LG-02).
    const ofSession = session ? { session: session.record.id } : {}
    request.log.info({ method, path: pathOf(request), status: reply.statusCode, ms, ip, ...ofSession }, 'request')
    done()
  })
})

const isInfoEnabled = (log: FastifyBaseLogger): boolean =>
  !('isLevelEnabled' in log && typeof log.isLevelEnabled === 'function') || log.isLevelEnabled('info') === true

function pathOf({ routeOptions, url }: FastifyRequest): string {
  if (routeOptions.url !== undefined && !routeOptions.url.includes('*')) return routeOptions.url
  return (url.split(/[?#]|%3f/i, 1)[0] ?? '').slice(0, PATH_MAX)
}
