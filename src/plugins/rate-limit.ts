import rateLimitPlugin from '@fastify/rate-limit'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'

/**
 * Limits the routes that say `config.rateLimit`, per client address: each of them stores something for a caller that
 * is not known yet. An IPv6 client has a whole /64 to call from, so that counts as one.
 */
export const rateLimit = fp(
  async (app: FastifyInstance, { config }: { readonly config: Pick<Config, 'rateLimitPerMinute'> }) => {
    await app.register(rateLimitPlugin, {
      global: false,
      max: config.rateLimitPerMinute,
      timeWindow: 60_000,
      ipv6Subnet: 64,
      cache: 20_000,
      // Off means off: a limit of 0 would otherwise refuse everything.
      ...(config.rateLimitPerMinute === 0 && { allowList: () => true }),
      addHeaders: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
      addHeadersOnExceeding: { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false },
      errorResponseBuilder: (_request, { ttl }) =>
        new BffError('rate_limited', 'too many requests from one address', { retryAfterS: Math.ceil(ttl / 1000) }),
    })
    warnOfUntrustedProxy(app)
  },
)

/** Without TRUSTED_PROXIES all users behind a proxy would share one limit, and the log would show one address. */
function warnOfUntrustedProxy(app: FastifyInstance): void {
  let warned = false
  app.addHook('onRequest', (request, _reply, done) => {
    if (!warned && request.headers['x-forwarded-for'] !== undefined && (request.ips?.length ?? 1) < 2) {
      warned = true
      request.log.warn('X-Forwarded-For from an address that is not in TRUSTED_PROXIES is ignored; set TRUSTED_PROXIES')
    }
    done()
  })
}
