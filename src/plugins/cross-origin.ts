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
        const { origin } = request.headers
        const options = optionsFor.get(origin ?? '')
        if (options === undefined) {
          if (origin !== undefined) logRefusal(request, origin)
          return callback(null, none)
        }
        const [path = ''] = request.url.split('?')
        // By the route as well: the path may be spelt with percent-encoding.
        if (NEVER.has(path) || NEVER.has(request.routeOptions.url ?? '')) return callback(null, none)
        callback(null, path.startsWith('/api/') ? options.api : options.ours)
      },
    })
  },
)

/** Tells the operator which origin to list, if it is one of theirs (LG-03). */
function logRefusal({ log }: FastifyRequest, origin: string): void {
  log.info(
    { event: 'origin_not_allowed', origin: origin.slice(0, 200) },
    'a page of this origin may not read the answer',
  )
}

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
