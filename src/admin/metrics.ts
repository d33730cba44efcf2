import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Metrics } from '../metrics.ts'

/** GET /metrics on the inner listener: Prometheus text. */
export const metrics: FastifyPluginAsyncTypebox<{ readonly metrics: Metrics }> = async (
  app,
  { metrics: { registry } },
) => {
  app.get('/metrics', async (_request, reply) => {
    reply.header('cache-control', 'no-store').type(registry.contentType)
    return registry.metrics()
  })
}
