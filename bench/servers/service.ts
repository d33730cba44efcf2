import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createService } from '../../src/app.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { createIdp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { buildRedirectUri } from '../../src/login/sign-in.ts'
import { createTransactions } from '../../src/login/transaction.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createEmbeddedStore } from '../../src/store/embedded-store.ts'
import { openStore } from '../../src/store/index.ts'
import type { Store } from '../../src/store/store.ts'
import { baseEnv } from '../../test/support/env.ts'
import { fillStore } from '../fill/store.ts'
import { listen } from './plain.ts'
import type { Callback, Served, ServiceSubject } from './subject.ts'

const now = (): number => Date.now() / 1000

/** The service as `main.ts` builds it, on free ports. */
export async function serveService({ env, fill, callbacks = 0, watchSweep }: ServiceSubject): Promise<Served> {
  const config = loadConfig({ ...baseEnv(), LOG_LEVEL: 'warn', ...env })
  const { log } = createLog(config.logLevel)
  const watch = watchSweep === undefined ? undefined : createSweepWatch()
  const store = watch
    ? await createEmbeddedStore({ path: watchSweep ?? '', now, onSwept: watch.onSwept })
    : await openStore(config.session.store, { now })
  const credentials = fill && (await fillStore(store, { env, ...fill, tokenLifeS: 3600 }))
  const begun = await beginSignIns(config, store, callbacks)
  const { app, admin } = await createService({ config, store, idp: createIdp(config, { now, log }), log, now })
  const [port, adminPort] = [await listen(app), await listen(admin)]
  return {
    port,
    adminPort,
    callbacks: begun,
    ...(credentials !== undefined && { credentials }),
    ...(watch !== undefined && { count: watch.count }),
  }
}

/** As `/auth/start` begins them; their codes are what the stand-in for the IdP takes. */
async function beginSignIns(config: Config, store: Store, count: number): Promise<Callback[]> {
  const transactions = createTransactions({ store, seal: createSeal(() => config.secrets.current().sessionKeys), now })
  const { issuer } = config.idp
  const input = {
    issuer,
    redirectUri: buildRedirectUri(config.publicUrl),
    target: { kind: 'browser', returnTo: parseReturnTo('/', config) },
  } as const
  const begun: Callback[] = []
  for (let index = 0; index < count; index++) {
    const { transaction, cookie } = await transactions.start(input)
    const query = new URLSearchParams({ code: transaction.nonce, state: transaction.state, iss: issuer })
    begun.push({ path: `/auth/callback?${query}`, cookie: `oten_tx_${cookie.suffix}=${cookie.value}` })
  }
  return begun
}

/** How far the sweep is, and how long the event loop was held up at most since it was last asked. */
function createSweepWatch() {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let swept = 0
  return {
    onSwept: (entries: number): void => {
      swept += entries
    },
    count: () => {
      const counts = { swept, longestMs: delay.max / 1e6, p99Ms: delay.percentile(99) / 1e6 }
      delay.reset()
      return counts
    },
  }
}
