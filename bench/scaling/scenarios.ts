import type { Settings } from './behaviour.ts'
import type { Costs } from './costs.ts'
import { type PeakUser, redisCoresOf } from './load.ts'
import type { Plan } from './plan.ts'
import { findPeak, type Population } from './population.ts'
import { createRandom } from './random.ts'

/** What comes at once when one replica leaves and its event streams look for another, within so many seconds. */
export interface Reconnect {
  readonly withinS: number
  readonly perSecond: number
  /** Cores of all other replicas together, beside their load. */
  readonly cores: number
}

export function reconnectAfterRestart(costs: Costs, plan: Plan, windowsS: readonly number[]): readonly Reconnect[] {
  const streams = plan.load.streams / plan.replicas
  // The session is read, and looked at once the stream is open.
  const eachUs = 2 * (costs.cpuUs['session check, the first on a replica'] ?? 0)
  return windowsS.map((withinS) => ({
    withinS,
    perSecond: streams / withinS,
    cores: ((streams / withinS) * eachUs) / 1e6,
  }))
}

/** After a failover, or when the connection for messages broke: every stream looks, within 1.5 s. */
export function lookAfterGap(costs: Costs, { load, replicas }: Plan) {
  const { operations = {} } = costs.actions['event stream: one look'] ?? {}
  const reads = (operations.GET ?? 0) * load.streams
  return { reads, readsPerReplica: reads / replicas, redisS: redisCoresOf(costs, { GET: reads }) }
}

/** New `SESSION_KEYS`, or a restart of Redis: nothing that was remembered counts any more. */
export function readAgain(costs: Costs, { load }: Plan, peak: PeakUser) {
  const requests = ['session check, again', 'verify', 'proxied call'] as const
  const fromMemory = requests.reduce((sum, action) => sum + (peak.rates[action] ?? 0), 0) * load.users
  const reads = 2 * fromMemory * (1 - load.coldShare)
  return { readsPerSecond: reads, redisCores: redisCoresOf(costs, { GET: reads }) }
}

/** Ends everybody, 64 at a time, from the one replica that was asked; the replica is what is busy. */
export function endEverybody(costs: Costs, { load, replicas }: Plan) {
  const eachUs = costs.cpuUs['back-channel logout of 1 session'] ?? 0
  return { hours: (load.stored * eachUs) / 1e6 / 3_600, told: load.stored * replicas }
}

/** How often the IdP is asked for new tokens, by the phases of an outage, each second and per thousand users. */
export interface Outage {
  readonly before: number
  readonly during: number
  /** The worst minute after its end. */
  readonly after: number
  /** Calls that are answered 503 at its end, of all. */
  readonly refusedShare: number
}

/** By the service: after the n-th failure nobody tries for 2^(n-1) seconds, 30 at most, and between half and all of it. */
const REST_MAX_S = 30

/** What is told of a session's tokens by its calls, one after the other. */
interface Tokens {
  renewedAt: number
  failures: number
  restsUntil: number
}

/** Replays the calls of the day's peak against an IdP that is away for so long. */
export function meetOutage(settings: Settings, population: Population, seed: number, awayS: number): Outage {
  const random = createRandom(seed)
  const fromS = findPeak([...population.perMinute.values()]) * 60
  const toS = fromS + awayS
  const attempts = { before: 0, during: 0, after: new Map<number, number>() }
  const late = { calls: 0, refused: 0 }
  for (const { kind, calls } of population.visits) {
    const [startS = 0] = calls
    const tokens: Tokens = { renewedAt: kind === 'app' ? Number.NEGATIVE_INFINITY : startS, failures: 0, restsUntil: 0 }
    for (const atS of calls) {
      const isAway = atS >= fromS && atS < toS
      const outcome = renew(tokens, atS, isAway, settings.accessTokenS, random)
      if (isAway && atS >= toS - 60) {
        late.calls += 1
        late.refused += tokens.renewedAt + settings.accessTokenS <= atS ? 1 : 0
      }
      if (outcome === 'none') continue
      if (atS >= fromS - 900 && atS < fromS) attempts.before += 1
      if (isAway) attempts.during += 1
      const minute = Math.floor((atS - toS) / 60)
      if (minute >= 0 && minute < 15) attempts.after.set(minute, (attempts.after.get(minute) ?? 0) + 1)
    }
  }
  const perThousand = 1_000 / population.users
  return {
    before: (attempts.before / 900) * perThousand,
    during: (attempts.during / awayS) * perThousand,
    after: (Math.max(...attempts.after.values()) / 60) * perThousand,
    refusedShare: late.refused / Math.max(1, late.calls),
  }
}

/** @returns whether the IdP was asked */
function renew(tokens: Tokens, atS: number, isAway: boolean, lifeS: number, random: () => number): 'asked' | 'none' {
  if (atS - tokens.renewedAt <= lifeS - 60 || atS < tokens.restsUntil) return 'none'
  if (!isAway) {
    tokens.renewedAt = atS
    tokens.failures = 0
    return 'asked'
  }
  tokens.failures += 1
  const restS = Math.min(REST_MAX_S, 2 ** (tokens.failures - 1)) * (0.5 + random() / 2)
  tokens.restsUntil = atS + Math.max(1, restS)
  return 'asked'
}
