import type { Settings } from './behaviour.ts'
import type { Costs } from './costs.ts'
import { buildLoad, type Load, type PeakUser, redisCoresOf, totalOf } from './load.ts'
import { measureSkew, nodeOf, OWN_PREFIX } from './slots.ts'

/** What it takes to serve so many sessions. */
export interface Plan {
  readonly load: Load
  readonly replicas: number
  /** How busy the core of one replica is at the peak, and with what it hears of the others alone. */
  readonly replicaShare: number
  readonly hearingShare: number
  readonly redisOctets: number
  readonly redisOperations: number
  readonly nodes: number
  /** How busy the busiest Redis is. */
  readonly redisShare: number
  /** How much more than its share the fullest node has. */
  readonly skew: number
  /** The one channel of events is more than a node can take beside its share: the plan is for a site without it. */
  readonly isChannelFull: boolean
}

export interface PlanInput {
  readonly costs: Costs
  readonly settings: Settings
  readonly peak: PeakUser
  readonly sessions: number
}

/** Fewer would have no majority. */
const CLUSTER_MIN = 3
const NODES_MAX = 1_000
const REPLICAS_MAX = 100_000
/** Names that are the same for everybody, so that all of them are asked of one node. */
export const CHANNEL = `${OWN_PREFIX}0:session-events`
export const TIME_KEY = `${OWN_PREFIX}time`

export const sessionOctetsOf = ({ sessionOctets, kinds }: Costs): number =>
  sessionOctets + (kinds[`${OWN_PREFIX}session:{…}:used`]?.octets ?? 0)

/**
 * One Redis as long as it suffices, since only there do replicas remember; then a cluster.
 *
 * @throws {Error} when no number of replicas would do: each is busy with what it hears of the others
 */
export function planFor(input: PlanInput): Plan {
  const alone = planReplicas(input, true)
  const plan = alone === undefined ? undefined : withRedis(input, alone, 1, true)
  if (plan !== undefined && fits(plan, input)) return plan
  const replicas = planReplicas(input, false)
  if (replicas === undefined) throw new Error(`${input.sessions} sessions: replicas do nothing but hear`)
  for (const hasChannel of [true, false]) {
    for (let nodes = CLUSTER_MIN; nodes <= NODES_MAX; nodes = Math.ceil(nodes * 1.05)) {
      const cluster = withRedis(input, replicas, nodes, hasChannel)
      if (fits(cluster, input)) return cluster
    }
  }
  throw new Error(`${input.sessions} sessions: no cluster of ${NODES_MAX} nodes is enough`)
}

const fits = ({ redisShare, redisOctets, nodes, skew }: Plan, { settings }: PlanInput): boolean =>
  redisShare <= settings.coreShare && (redisOctets / nodes) * (1 + skew) <= settings.redisGb * 2 ** 30

interface Replicas {
  readonly load: Load
  readonly replicas: number
  readonly needed: number
  readonly hearingShare: number
}

/** More replicas remember less each, and hear as much: until the number is enough for what it brings about. */
function planReplicas(input: PlanInput, remembers: boolean): Replicas | undefined {
  const { costs, settings } = input
  for (let needed = 1; needed <= REPLICAS_MAX; ) {
    const replicas = Math.max(2, needed + settings.spareReplicas) // All of them are asked, and hear.
    const load = buildLoad({ ...input, replicas, remembers })
    const hearingShare = hearingOf(costs, load)
    const room = settings.coreShare - hearingShare
    if (room <= 0) return undefined
    const wanted = Math.ceil(Math.max(load.cores / room, load.streams / settings.streamsPerReplica, 1))
    if (wanted <= needed) return { load, needed, replicas, hearingShare }
    needed = wanted
  }
  return undefined
}

/** Of each replica's core: it hears what concerns all, also where none of it is its own. */
export const hearingOf = ({ cpuUs }: Costs, { messages, changes }: Load): number =>
  (messages * (cpuUs['a message heard'] ?? 0) + changes * (cpuUs['a changed key heard'] ?? 0)) / 1e6

function withRedis({ costs, sessions }: PlanInput, found: Replicas, nodes: number, hasChannel: boolean): Plan {
  const { load, replicas, needed, hearingShare } = found
  const skew = nodes === 1 ? 0 : measureSkew(nodes, sessions)
  return {
    load,
    replicas,
    replicaShare: load.cores / needed + hearingShare,
    hearingShare,
    redisOctets: sessions * sessionOctetsOf(costs),
    redisOperations: totalOf(load.operations),
    nodes,
    redisShare: busiestShare(costs, { load, replicas, nodes, skew }, hasChannel),
    skew,
    isChannelFull: !hasChannel,
  }
}

/** The node that has what is everybody's has it on top of its share of the rest. */
function busiestShare(
  costs: Costs,
  { load, replicas, nodes, skew }: Pick<Plan, 'load' | 'replicas' | 'nodes' | 'skew'>,
  hasChannel: boolean,
): number {
  const { otenPublish: _, otenTime = 0, ...rest } = load.operations
  const spread = (redisCoresOf(costs, rest) / nodes) * (1 + skew)
  const telling = (tellingOf(costs, load) * replicas) / nodes
  const time = redisCoresOf(costs, { otenTime })
  const publishing = hasChannel ? publishingOf(costs, load, nodes) : 0
  const isSame = nodeOf(CHANNEL, nodes) === nodeOf(TIME_KEY, nodes)
  return spread + telling + (isSame ? time + publishing : Math.max(time, publishing))
}

/** Cores of the one node to which all messages go: it takes each, and passes it on to every other node. */
export function publishingOf(costs: Costs, { messages }: Load, nodes: number): number {
  const each = (costs.redisCpuUs.otenPublish ?? 0) + (nodes - 1) * (costs.redisCpuUs['a message, each replica'] ?? 0)
  return (messages * each) / 1e6
}

/** Cores of Redis for each replica that is told. */
export const tellingOf = ({ redisCpuUs }: Costs, { messages, changes }: Load): number =>
  (messages * (redisCpuUs['a message, each replica'] ?? 0) +
    changes * (redisCpuUs['a changed key, each replica'] ?? 0)) /
  1e6
