import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** What our own routes take is a few hundred octets. */
const BODY_TIMEOUT_MS = 15_000

export interface BodyDeadlineOptions {
  /** Shorter in tests. */
  readonly bodyTimeoutMs?: number | undefined
}

/**
 * A body that never ends would hold its connection for ever, at no cost to whoever sends it (CWE-400). Proxied bodies
 * take what they take: there is a session behind them, and the API has limits of its own.
 */
export const bodyDeadline = fp(
  async (app: FastifyInstance, { bodyTimeoutMs = BODY_TIMEOUT_MS }: BodyDeadlineOptions) => {
    app.addHook('preParsing', (request, _reply, _payload, done) => {
      if (hasBody(request) && !request.url.startsWith('/api/')) giveUpAfter(request, bodyTimeoutMs)
      done()
    })
  },
)

const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function giveUpAfter({ raw, log }: FastifyRequest, timeoutMs: number): void {
  const timer = setTimeout(() => {
    log.info({ event: 'refused', reason: 'the body did not end in time' }, 'connection closed')
    raw.destroy()
  }, timeoutMs)
  const { socket } = raw
  const lift = (): void => {
    clearTimeout(timer)
    socket.off('close', lift)
  }
  for (const over of ['end', 'close']) raw.once(over, lift)
  socket.once('close', lift) // Of which a request that was answered before its end hears nothing any more.
}
