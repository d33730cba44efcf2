import { createIdpHttp, type IdpHttp } from '../idp/http.ts'
import { type Check, guard } from './check.ts'
import { checkConfiguration } from './configuration.ts'
import { examineIdp } from './examine-idp.ts'
import { checkOrigins } from './origins.ts'
import { checkOwnKeys } from './own-keys.ts'
import { foreseeRegistrations, listRegistrations } from './registration.ts'
import { checkScope } from './scope.ts'
import { checkSigningKey } from './signing-key.ts'
import { silentLog } from './silent-log.ts'
import { checkStore } from './store.ts'

const CONNECT_TIMEOUT_MS_MAX = 3_000

export interface ExamineOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of one request; all of them together take about three times as long at most. */
  readonly timeoutMs: number
  /** Epoch seconds. */
  readonly now: () => number
}

/** Every check, in the order of its dependencies. What does not depend on the IdP is done meanwhile. */
export async function* examine({ env, timeoutMs, now }: ExamineOptions): AsyncGenerator<Check> {
  const { config, checks } = checkConfiguration(env)
  yield* checks
  if (config === undefined) {
    yield* foreseeRegistrations(env)
    return
  }
  const createHttp = (allowInsecureIssuer: boolean): IdpHttp => {
    const connectTimeoutMs = Math.min(timeoutMs, CONNECT_TIMEOUT_MS_MAX)
    return createIdpHttp({ allowInsecureIssuer, now, log: silentLog, connectTimeoutMs, totalTimeoutMs: timeoutMs })
  }
  const idpHttp = createHttp(config.idp.allowInsecureIssuer)
  const ownHttp = createHttp(!config.secure)
  const { session, publicUrl, requestObject, secrets } = config
  const signingKey = guard('signing key', async () => [checkSigningKey(requestObject.alg, secrets.current())])
  const store = guard('session store', () => checkStore(session.store, { now, secure: config.secure }))
  const ownKeys = guard('own keys', async () => [await checkOwnKeys(publicUrl, secrets.current(), ownHttp.fetch)])
  try {
    yield* await signingKey
    yield* await ownKeys
    yield* examineIdp({ config, http: idpHttp, timeoutMs, now })
    yield* await store
    yield* checkScope(config)
    yield* checkOrigins(config)
    yield* listRegistrations(config)
  } finally {
    await Promise.all([idpHttp.close(), ownHttp.close()])
  }
}
