import type { FastifyInstance } from 'fastify'
import { createService, type Deps } from './app.ts'
import { type Config, type Listener, loadConfig } from './config.ts'
import { createIdp } from './idp/idp.ts'
import { createLog, type Log } from './log.ts'
import { addProcessMetrics, createMetrics } from './metrics.ts'
import { openStore } from './store/index.ts'
import type { Tracing } from './tracing.ts'

/**
 * How long requests in flight may take to finish after SIGTERM, and after how long the process ends in any case; the
 * contract allows 12 s in all.
 */
const DRAIN_MS = 9_000
const LEAVE_MS = 11_000

const now = (): number => Date.now() / 1000

/** Reads the environment, or says everything that is wrong with it and stops. */
function readConfig(): Config {
  try {
    return loadConfig(process.env)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'configuration failed'}\n`)
    process.exit(1)
  }
}

function watchSecrets({ secrets, warnings }: Config, log: Log): () => void {
  for (const warning of warnings) log.warn(warning)
  return secrets.watch({
    onChange: (names) => log.info({ names }, 'read again, and in use from now on'),
    onFault: (fault) => log.error(fault),
  })
}

/**
 * The last resort (ER-07): a promise that nobody waited for is a fault of ours in one request, and no reason to drop all
 * others. After a thrown error nobody caught, in contrast, nothing about the process can be relied on: it ends.
 */
function survive(log: Log, flush: () => void): void {
  // Node would print the whole error: its members, its causes, and what a parser's message quotes (LG-01).
  process.on('uncaughtException', (error) => {
    log.fatal({ event: 'crashed', err: error }, 'an error that nobody caught ends the process')
    flush()
    process.exit(1)
  })
  process.on('unhandledRejection', (reason) => {
    log.error(
      { event: 'failed', err: reason instanceof Error ? reason : new Error('rejected without an error') },
      'stray',
    )
  })
}

/** Ends on a signal: no new connections, what is under way finishes, then the store and the last log lines. */
function drainOn(signals: readonly NodeJS.Signals[], close: () => Promise<void>, log: Log, flush: () => void): void {
  let draining = false
  for (const signal of signals) {
    process.on(signal, () => {
      if (draining) return
      draining = true
      log.info({ signal }, 'draining')
      const leave = (code: number): void => {
        flush()
        process.exit(code)
      }
      setTimeout(() => leave(1), LEAVE_MS).unref()
      close().then(
        () => leave(0),
        () => leave(1),
      )
    })
  }
}

/** Its libraries are loaded here, where they are wanted. */
const trace = async (endpoint: string | undefined): Promise<Tracing | undefined> =>
  endpoint === undefined ? undefined : (await import('./tracing.ts')).openTracing(endpoint)

/** @throws {Error} with the variable and the fault, not the value: a secret may have got there by mistake (CF-01) */
async function listen(app: FastifyInstance, name: 'HOST' | 'ADMIN_HOST', { host, port }: Listener): Promise<string> {
  try {
    return await app.listen({ host, port, listenTextResolver: () => 'listening' })
  } catch (cause) {
    const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
    throw new Error(`${name}, port ${port}: cannot be listened on (${String(code)})`, { cause })
  }
}

async function main(): Promise<void> {
  const config = readConfig()
  const { log, flush } = createLog(config.logLevel)
  survive(log, flush)
  const stopWatching = watchSecrets(config, log)
  const store = await openStore(config.session.store, { now, log })
  const metrics = createMetrics()
  addProcessMetrics(metrics)
  const tracing = await trace(config.otlpEndpoint)
  const idp = createIdp(config, { now, log, metrics, tracing })
  const deps: Deps = { config, store, idp, log, now, metrics, tracing }
  const { app, admin } = await createService(deps)
  idp.start() // In the background: the service starts and serves with the IdP down.
  const [address, adminAddress] = await Promise.all([
    listen(app, 'HOST', config.listen),
    listen(admin, 'ADMIN_HOST', config.admin),
  ])
  log.info({ address, admin_address: adminAddress, public_url: config.publicUrl }, 'ready')

  const close = async (): Promise<void> => {
    stopWatching()
    // Without this one connection on which nothing, or half a request, was ever sent (browsers open such ahead) would
    // hold the stop up to its end, and make it a failure.
    const cut = setTimeout(() => {
      for (const { server } of [app, admin]) server.closeAllConnections()
    }, DRAIN_MS)
    await Promise.all([app.close(), admin.close()])
    clearTimeout(cut)
    await idp.close()
    await store.close()
    await tracing?.close()
  }
  drainOn(['SIGTERM', 'SIGINT'], close, log, flush)
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`oten-bff did not start: ${error instanceof Error ? error.message : 'unknown reason'}\n`)
    process.exit(1)
  })
}
