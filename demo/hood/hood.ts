import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Exchange } from './exchange.ts'
import { watchHttp } from './watch-http.ts'

/** More than a page draws, less than a day of clicking. */
const KEPT_MAX = 400

export interface Hood {
  /** Keeps an exchange, or what is new of one, and tells the pages. */
  take(exchange: Exchange): void
  /** Forgets all there was so far. */
  forget(): void
  /** `GET /exchanges/all` (JSON) and `GET /exchanges/stream` (server-sent events), for the page's own origin. */
  answer(req: IncomingMessage, res: ServerResponse): void
}

/** Collects what happened between the parties, so that the page can show it. */
export function createHood(): Hood {
  const kept = new Map<string, Exchange>()
  const streams = new Set<ServerResponse>()
  const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

  return {
    take(exchange) {
      kept.set(exchange.id, exchange)
      const [oldest] = kept.keys()
      if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest)
      for (const stream of streams) stream.write(toEvent(exchange))
    },

    forget: () => kept.clear(),

    answer(req, res) {
      if (req.method !== 'GET') {
        res.writeHead(405, { allow: 'GET' }).end()
      } else if (req.url === '/exchanges/all') {
        res.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify([...kept.values()]))
      } else if (req.url === '/exchanges/stream') {
        res.writeHead(200, { ...headers, 'content-type': 'text/event-stream' }).flushHeaders()
        streams.add(res)
        res.on('close', () => streams.delete(res))
      } else {
        res.writeHead(404).end()
      }
    },
  }
}

const toEvent = (exchange: Exchange): string => `event: exchange\ndata: ${JSON.stringify(exchange)}\n\n`

/**
 * Watches the pieces of the demo that run in this process: what browsers ask of Oten, and what the API asks of it. What the
 * service asks and is asked, its own process tells.
 */
export function watchOtherEnds(hood: Hood, issuer: string): void {
  const port = Number(new URL(issuer).port)
  watchHttp({
    name: 'demo',
    received: (at, { headers }) =>
      at === port && headers['sec-fetch-mode'] === 'navigate' ? { from: 'browser', to: 'oten' } : undefined,
    sent: (origin) => (origin === issuer ? { from: 'api', to: 'oten' } : undefined),
    report: hood.take,
  })
}
