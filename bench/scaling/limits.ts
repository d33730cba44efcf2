import type { Settings } from './behaviour.ts'
import type { Costs } from './costs.ts'
import { buildLoad, type Load, type PeakUser, redisCoresOf } from './load.ts'
import { hearingOf, planFor, sessionOctetsOf, tellingOf } from './plan.ts'

interface Context {
  readonly costs: Costs
  readonly settings: Settings
  readonly peak: PeakUser
}

/** Something that more replicas or nodes do not lift. */
export interface Limit {
  readonly name: string
  /** From how many stored sessions on; two digits of it. */
  readonly sessions: number
}

const SESSIONS_MAX = 3e8
/** Longer, and an operator takes it for hung. */
const END_ALL_MAX_H = 1
/** By the service: a command without an answer fails, and looks after a gap are spread over as long again. */
const COMMAND_MAX_S = 1.5
const GAP_SPREAD_S = 1.5

type Reached = (sessions: number, context: Context) => boolean

/** Each with what reaches it; all of them grow with the number of sessions. */
const LIMITS: readonly (readonly [name: string, reached: Reached])[] = [
  [
    'one process (`file:`): its core',
    (sessions, context) => oneProcess(sessions, context).cores > context.settings.coreShare,
  ],
  ['one Redis: its core', (sessions, context) => singleRedisShare(sessions, context) > context.settings.coreShare],
  [
    'one Redis: its memory',
    (sessions, { costs, settings }) => sessions * sessionOctetsOf(costs) > settings.redisGb * 2 ** 30,
  ],
  [
    'after a gap all event streams look, spread over 1.5 s: one Redis is busy with that until commands fail',
    (sessions, { costs, peak }) =>
      redisCoresOf(costs, { GET: 2 * peak.streams * (sessions / peak.stored) }) > GAP_SPREAD_S + COMMAND_MAX_S,
  ],
  [
    'an operator ends everybody: longer than an hour',
    (sessions, { costs }) =>
      (sessions * (costs.cpuUs['back-channel logout of 1 session'] ?? 0)) / 1e6 / 3_600 > END_ALL_MAX_H,
  ],
  [
    'what each replica hears of the others: a fifth of its core',
    (sessions, context) => hearing(sessions, context) > 0.2,
  ],
  ['the channel of events: the core of the one node of a cluster that has it', channelIsFull],
  ['the clock of the store: the core of the one node of a cluster that has it', clockIsFull],
]

const loadOf = (sessions: number, context: Context, remembers: boolean, replicas = 2): Load =>
  buildLoad({ ...context, sessions, replicas, remembers })

const oneProcess = (sessions: number, context: Context): Load => loadOf(sessions, context, true, 1)

function singleRedisShare(sessions: number, context: Context): number {
  const replicas = Math.ceil(loadOf(sessions, context, true).cores / context.settings.coreShare) + 1
  const load = loadOf(sessions, context, true, Math.max(2, replicas))
  return redisCoresOf(context.costs, load.operations) + tellingOf(context.costs, load) * Math.max(2, replicas)
}

const hearing = (sessions: number, context: Context): number => {
  const load = loadOf(sessions, context, singleRedisShare(sessions, context) <= context.settings.coreShare)
  return hearingOf(context.costs, load)
}

function channelIsFull(sessions: number, context: Context): boolean {
  return planFor({ ...context, sessions }).isChannelFull
}

function clockIsFull(sessions: number, context: Context): boolean {
  const { otenTime = 0 } = loadOf(sessions, context, false).operations
  return redisCoresOf(context.costs, { otenTime }) > context.settings.coreShare
}

/** In the order in which they are met. */
export function findLimits(context: Context): readonly Limit[] {
  return LIMITS.map(([name, reached]) => ({
    name,
    sessions: firstOf((sessions) => reached(sessions, context)),
  })).toSorted((a, b) => a.sessions - b.sessions)
}

/** To a hundredth: what is read from it has two digits at most. */
function firstOf(reached: (sessions: number) => boolean): number {
  let [low, high] = [1_000, SESSIONS_MAX]
  if (!reached(high)) return Number.POSITIVE_INFINITY // Further than anybody asks.
  while (high / low > 1.01) {
    const middle = Math.sqrt(low * high)
    if (reached(middle)) high = middle
    else low = middle
  }
  return high
}
