import type { IncomingMessage } from 'node:http'
import type { Party } from './exchange.ts'
import { watchHttp } from './watch-http.ts'

/**
 * Loaded before the service that the demo starts, whose environment this reads: tells the demo, over the channel between
 * the two processes, what the service is asked and what it asks. The service does not know of it.
 */
const [port, issuer] = [Number(process.env.PORT), process.env.OTEN_ISSUER]

watchHttp({
  name: 'bff',
  received: (at, request) => (at === port ? { from: callerOf(request), to: 'bff' } : undefined),
  sent: (origin) => ({ from: 'bff', to: origin === issuer ? 'oten' : 'api' }),
  report(exchange) {
    if (process.connected) process.send?.(exchange, undefined, undefined, () => undefined) // The demo may be going.
  },
})

function callerOf({ url, headers }: IncomingMessage): Party {
  if (url === '/auth/backchannel-logout') return 'oten'
  return headers['user-agent']?.startsWith('DemoPhone/') ? 'app' : 'browser'
}
