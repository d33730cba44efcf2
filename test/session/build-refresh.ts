import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { BffError } from '../../src/errors.ts'
import type { RefreshInput, RefreshOutcome } from '../../src/idp/refresh-tokens.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import type { Session, SessionTokens } from '../../src/session/record.ts'
import { createRefresher } from '../../src/session/refresh.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { ISSUER, newSession, storeDown } from '../plugins/build-service.ts'
import { until } from '../support/until.ts'

const limits = { idleS: 36_000, maxS: 36_000 }
const session = {
  store: 'memory:',
  browser: limits,
  app: limits,
  sameSite: 'strict' as const,
  claims: ['name'] as string[],
}
const seal = createSeal(() => [{ id: 'k', key: Buffer.alloc(32, 7) }])

/** What came of it, in a word: the access token, or the code of the failure. */
const tokenOf = ({ record }: Session): string => record.tokens.accessToken
const codeOf = (error: unknown): string => (error instanceof BffError ? error.code : assert.fail(String(error)))

/** @param shared may be away for this replica alone, or for its swaps; or the replica is dead and hears nothing more */
function createReplica(shared: Store, idp: ReturnType<typeof createIdp>, now: () => number) {
  const condition: { store: 'up' | 'away' | 'no swaps' | 'dead' } = { store: 'up' }
  const store = new Proxy(shared, {
    get: (target, name: keyof Store) => {
      const verb = target[name]
      if (typeof verb !== 'function') return verb
      return async (...parts: readonly unknown[]) => {
        if (condition.store === 'dead') return new Promise(() => {})
        if (condition.store === 'away' || (condition.store === 'no swaps' && name === 'swap')) throw storeDown()
        return Reflect.apply(verb, target, parts) as unknown
      }
    },
  })
  const config = { session, idp: { clientId: 'bff', issuer: ISSUER } }
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now })
  const logged: object[] = []
  const keep = (entry: object): void => void logged.push(entry)
  const log = { info: keep, warn: keep }
  const refresher = createRefresher({ sessions, store, idp, config, now, log })
  const ask = (found: Session): Promise<string> => refresher.ensureFresh(found).then(tokenOf, codeOf)
  const refresh = (found: Session): Promise<string> => refresher.refresh(found).then(tokenOf, codeOf)
  return { condition, config, sessions, refresher, ask, refresh, logged }
}

/** Rotates; keeps what it was shown and asked to revoke. A test may answer in its place. */
function createIdp(now: () => number) {
  const shown: string[] = []
  const revoked: string[] = []
  const idTokenClaims = { iss: ISSUER, sub: 'ada' }
  const grant = (name: string): RefreshOutcome => {
    const [accessToken, refreshToken, accessTokenExpiresAt] = [`access-${name}`, `refresh-${name}`, now() + 900]
    const tokens = { accessToken, refreshToken, accessTokenExpiresAt, idToken: 'i', idTokenClaims, scope: 'openid' }
    return { kind: 'refreshed', tokens }
  }
  const idp = {
    shown,
    revoked,
    grant,
    answer: async (_input: RefreshInput): Promise<RefreshOutcome> => grant(String(shown.length)),
    refresh: async (input: RefreshInput): Promise<RefreshOutcome> => {
      shown.push(input.refreshToken)
      return idp.answer(input)
    },
    revoke: async ({ token }: { readonly token: string }) => revoked.push(token) > 0,
    /** From here on it answers when the test says so. */
    hang: () => {
      const { promise, resolve, reject } = Promise.withResolvers<RefreshOutcome>()
      idp.answer = () => promise
      return { asked: () => until(() => shown.length > 0), answer: () => resolve(grant('1')), reject }
    },
  }
  return idp
}

/** Two replicas on one store, before one IdP; a clock that moves by argument. */
export function buildRefresh(t: TestContext) {
  const time = { now: 1_800_000_000 }
  const now = (): number => time.now
  const memory = createMemoryStore({ now })
  t.after(() => memory.close())
  const shared: Store = { ...memory, exclusive: false }
  const idp = createIdp(now)
  const [first, second] = [createReplica(shared, idp, now), createReplica(shared, idp, now)]
  /** A session with tokens of 900 s, of which so many are left. */
  const plant = (leftS: number, changes: Partial<SessionTokens> = {}, issuer = ISSUER): Promise<Session> => {
    const life = { accessTokenExpiresAt: time.now + leftS, obtainedAt: time.now + leftS - 900, ...changes }
    const tokens = { accessToken: 'access-0', refreshToken: 'refresh-0', idToken: 'i', scope: 'openid', ...life }
    return second.sessions.create(newSession(time.now, { issuer, tokens }))
  }
  const stored = async (found: Session) => (await second.sessions.reload(found))?.record
  /** The first replica asks; when the IdP answers with new tokens, its store is not as it was. */
  const refreshInto = async (condition: typeof first.condition.store, found: Session): Promise<string> => {
    const { asked, answer } = idp.hang()
    const caller = first.ask(found)
    await asked()
    first.condition.store = condition
    answer()
    return caller
  }
  return { time, idp, first, second, shared, plant, stored, refreshInto }
}
