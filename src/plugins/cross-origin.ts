import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'

/** Reached by navigation or by the IdP alone: no page ever needs to read them (CS-06). */
const NEVER = new Set(['/auth/callback', '/auth/logged-out', '/auth/logout/continue', '/auth/backchannel-logout'])

/** How long a browser may remember a preflight, seconds. */
const PREFLIGHT_S = 600

/** CORS (Fetch standard): answers `PUBLIC_URL` and the listed origins, one exact origin at a time, nobody else. */
export const crossOrigin = fp(
  async (app: FastifyInstance, { config }: { readonly config: Pick<Config, 'publicUrl' | 'allowedOrigins'> }) => {
    const allowed = new Set([config.publicUrl, ...config.allowedOrigins])
    const optionsFor = new Map(
      [...allowed].map((origin) => [origin, { ours: build(origin, false), api: build(origin, true) }]),
    )
    const none: FastifyCorsOptions = { origin: false }

    await app.register(cors, {
      delegator: (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void) => {
        const options = optionsFor.get(request.headers.origin ?? '')
        if (options === undefined) return callback(null, none)
        const [path = ''] = request.url.split('?')
        if (NEVER.has(path)) return callback(null, none)
        callback(null, path.startsWith('/api/') ? options.api : options.ours)
      },
    })
  },
)

function build(origin: string, isApi: boolean): FastifyCorsOptions {
  return {
    origin,
    credentials: true,
    maxAge: PREFLIGHT_S,
    methods: isApi ? ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] : ['GET', 'POST', 'DELETE'],
    // What the API behind the proxy reads is for the API to say: any header that this one origin asked for.
    ...(!isApi && { allowedHeaders: ['authorization', 'content-type'] }),
    exposedHeaders: isApi ? ['retry-after', 'x-request-id', 'etag', 'location', 'link'] : ['retry-after'],
    strictPreflight: false,
    optionsSuccessStatus: 204,
  }
}
