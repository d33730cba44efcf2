import type { Settings } from './behaviour.ts'
import type { Costs } from './costs.ts'
import { findPeak, meanAt, type Population } from './population.ts'

/** What one user is at the peak, on average. */
export interface PeakUser {
  /** Sessions in the store. */
  readonly stored: number
  readonly streams: number
  /** Sessions in use. */
  readonly active: number
  /** Actions a second, by name. */
  readonly rates: Readonly<Record<string, number>>
  /** Of the requests that a replica could answer from memory, those that find nothing there. */
  coldShare(replicas: number): number
}

export function readPeak({ users, perMinute, stored, streams, active, runs }: Population): PeakUser {
  const from = findPeak([...perMinute.values()])
  const rates = [...perMinute].map(([action, series]) => [action, meanAt(series, from) / 60 / users] as const)
  const requests = runs.reduce((sum, length) => sum + length, 0)
  return {
    stored: meanAt(stored, from) / users,
    streams: meanAt(streams, from) / users,
    active: meanAt(active, from) / users,
    rates: Object.fromEntries(rates),
    // Each request goes to any replica: of so many requests in a row, how many are the first on theirs.
    coldShare: (replicas) =>
      runs.reduce((sum, length) => sum + replicas * (1 - (1 - 1 / replicas) ** length), 0) / requests,
  }
}

/** Answered from memory where the replica remembers the session. */
const FROM_MEMORY = ['session check, again', 'verify', 'proxied call'] as const
/** Happens in a request that is counted already. */
const WITHIN = new Set(['verify that notes the use', 'refresh with rotation', 'event stream: one look'])
/** What was not measured by itself, taken as what it resembles; an app's sign-in does what a page's does. */
const LIKE: Readonly<Record<string, string>> = {
  'sign-in of an app: start': 'sign-in of a page: start',
  'sign-in of an app: callback': 'sign-in of a page: callback',
  'sign-in of an app: handoff': 'sign-in of a page: start',
  'sign-out: on to the IdP': 'sign-in of a page: start',
  'sign-out: back from the IdP': 'sign-in of a page: start',
  'list of 3 sessions': 'list of 1 session',
  'end one of 3 sessions': 'back-channel logout of 1 session',
  'event stream: opened': 'session check, the first on a replica',
  'event stream: one look': 'session check, the first on a replica',
}

/** What all users together ask for, each second of the peak. */
export interface Load {
  readonly users: number
  readonly stored: number
  readonly streams: number
  readonly requests: number
  readonly idpRequests: number
  /** Of the service, in cores, without what each replica hears of the others. */
  readonly cores: number
  readonly operations: Readonly<Record<string, number>>
  /** Messages to all replicas, and names of changed keys, each second. */
  readonly messages: number
  readonly changes: number
  readonly coldShare: number
}

export interface LoadInput {
  readonly costs: Costs
  readonly settings: Settings
  readonly peak: PeakUser
  readonly sessions: number
  readonly replicas: number
  /** False over a Redis Cluster, where nobody tells of changes, so that nothing is remembered. */
  readonly remembers: boolean
}

export function buildLoad({ costs, settings, peak, sessions, replicas, remembers }: LoadInput): Load {
  const users = sessions / peak.stored
  // What does not fit is forgotten before it is asked for again.
  const roomFor = Math.min(1, settings.cacheSessions / (peak.active * users))
  const coldShare = remembers ? 1 - (1 - peak.coldShare(replicas)) * roomFor : 1
  const sum = { requests: 0, idpRequests: 0, cpuUs: 0, messages: 0, told: 0 }
  const operations: Record<string, number> = {}
  const add = (action: string, rate: number, cpuUs = costs.cpuUs[LIKE[action] ?? action] ?? 0): void => {
    const cost = costs.actions[action]
    if (cost === undefined) throw new Error(`not measured: ${action}`)
    sum.requests += WITHIN.has(action) ? 0 : cost.requests * rate
    sum.idpRequests += cost.idpRequests * rate
    sum.cpuUs += cpuUs * rate
    for (const [name, count] of Object.entries(cost.operations))
      operations[name] = (operations[name] ?? 0) + count * rate
    sum.messages += (cost.operations.otenPublish ?? 0) * rate
    sum.told += cost.told * rate
  }
  for (const [action, rate] of Object.entries(peak.rates)) add(action, rate * users, cpuOf(costs, action))
  add('event stream: one look', (peak.streams * users) / settings.lookS)
  const first = costs.actions['session check, the first on a replica']
  const cold = FROM_MEMORY.reduce((total, action) => total + (peak.rates[action] ?? 0) * users, 0) * coldShare
  for (const [name, count] of Object.entries(first?.operations ?? {}))
    operations[name] = (operations[name] ?? 0) + count * cold
  sum.cpuUs += cold * differenceUs(costs, 'session check, the first on a replica', 'session check, again')
  return {
    users,
    stored: sessions,
    streams: peak.streams * users,
    requests: sum.requests,
    idpRequests: sum.idpRequests,
    cores: sum.cpuUs / 1e6,
    operations,
    messages: sum.messages,
    changes: remembers ? sum.told - sum.messages : 0,
    coldShare,
  }
}

/** The note of a use comes on top of a call that is counted with its own cost. */
const cpuOf = (costs: Costs, action: string): number | undefined =>
  action === 'verify that notes the use' ? differenceUs(costs, action, 'verify') : undefined

const differenceUs = ({ cpuUs }: Costs, more: string, less: string): number =>
  Math.max(0, (cpuUs[more] ?? 0) - (cpuUs[less] ?? 0))

export const totalOf = (operations: Readonly<Record<string, number>>): number =>
  Object.values(operations).reduce((sum, rate) => sum + rate, 0)

/** Cores of Redis that those operations need, without what is told. */
export const redisCoresOf = ({ redisCpuUs }: Costs, operations: Readonly<Record<string, number>>): number =>
  Object.entries(operations).reduce((sum, [name, rate]) => sum + rate * (redisCpuUs[name] ?? 0), 0) / 1e6
