import { PARAMETERS, SETTINGS } from './behaviour.ts'
import type { Costs } from './costs.ts'
import type { Limit } from './limits.ts'
import type { ActionCost } from './measure-actions.ts'
import { CHANNEL, type Plan, TIME_KEY } from './plan.ts'
import type { Outage, Reconnect } from './scenarios.ts'
import { measureSkew, OWN_PREFIX, slotOf } from './slots.ts'

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

/** Two digits: the rest would be made up. */
export function about(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0' : 'beyond'
  const rounded = Number(value.toPrecision(2))
  for (const [size, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (rounded >= size) return `${Number((rounded / size).toPrecision(2))} ${unit}`
  }
  return `${rounded}`
}

const percent = (share: number): string => `${about(share * 100)} %`

/** A script by the store's word for it. */
const nameOf = (operation: string): string =>
  operation.replace(/^oten(.)/, (_match, first: string) => first.toLowerCase())

const operationsOf = ({ operations }: ActionCost): string =>
  Object.entries(operations)
    .map(([name, count]) => (count === 1 ? nameOf(name) : `${nameOf(name)} ×${count}`))
    .join(', ') || 'none'

export const costTable = ({ actions, cpuUs }: Costs): string =>
  table(
    [
      'Action',
      'Requests',
      'To the IdP',
      'Operations of Redis',
      'Octets to, from Redis',
      'Told to each replica',
      'CPU, µs',
    ],
    Object.entries(actions).map(([name, cost]) => [
      name,
      `${cost.requests}`,
      `${cost.idpRequests}`,
      operationsOf(cost),
      `${cost.sentOctets}, ${cost.receivedOctets}`,
      `${cost.told}`,
      cpuUs[name] === undefined ? '' : `${Math.round(cpuUs[name])}`,
    ]),
  )

/** Its second or two since it was written, and no more, is taken off what was set. */
const wholeMinutes = (seconds: number): number => (seconds >= 120 ? Math.round(seconds / 60) * 60 : seconds)

export const kindTable = ({ kinds }: Costs): string =>
  table(
    ['Key', 'Octets', 'Ends after, s'],
    Object.entries(kinds).map(([kind, { octets, ttlS }]) => [`\`${kind}\``, `${octets}`, `${wholeMinutes(ttlS)}`]),
  )

export const listTable = ({ listOctets }: Costs): string =>
  table(['Sessions in a list', ...Object.keys(listOctets)], [['Octets', ...Object.values(listOctets).map(String)]])

export const redisTable = ({ redisCpuUs }: Costs): string =>
  table(
    ['Operation', 'CPU of Redis, µs'],
    Object.entries(redisCpuUs).map(([name, us]) => [nameOf(name), us.toFixed(1)]),
  )

export const parameterTable = (): string =>
  table(
    ['Parameter', 'Value', 'Source'],
    Object.entries(PARAMETERS).map(([name, { why }]) => [
      `\`${name}\``,
      `${SETTINGS[name as keyof typeof PARAMETERS]}`,
      why,
    ]),
  )

export const planTable = (plans: readonly Plan[]): string =>
  table(
    ['Stored sessions', ...plans.map(({ load }) => about(load.stored))],
    [
      ['Users', ...plans.map(({ load }) => about(load.users))],
      ['Requests a second', ...plans.map(({ load }) => about(load.requests))],
      ['Requests a second to the IdP', ...plans.map(({ load }) => about(load.idpRequests))],
      [
        'Cores of the service',
        ...plans.map(({ load, hearingShare, replicas }) => about(load.cores + hearingShare * replicas)),
      ],
      ['Replicas, spare ones included', ...plans.map(({ replicas }) => `${replicas}`)],
      ['Event streams in all', ...plans.map(({ load }) => about(load.streams))],
      ['Event streams of a replica', ...plans.map(({ load, replicas }) => about(load.streams / replicas))],
      ['Found in memory, of the requests that could be', ...plans.map(({ load }) => percent(1 - load.coldShare))],
      ['Operations of Redis a second', ...plans.map(({ redisOperations }) => about(redisOperations))],
      ['Memory of Redis, GB', ...plans.map(({ redisOctets }) => about(redisOctets / 2 ** 30))],
      ['Redis', ...plans.map(({ nodes }) => (nodes === 1 ? 'one, and its replica' : `${nodes} primaries`))],
      [
        'Core of the busiest Redis',
        ...plans.map((plan) => percent(plan.redisShare) + (plan.isChannelFull ? ' *' : '')),
      ],
      ['Told to every replica, a second', ...plans.map(({ load }) => about(load.messages + load.changes))],
      ['Core of a replica for hearing that', ...plans.map(({ hearingShare }) => percent(hearingShare))],
    ],
  )

export const limitTable = (limits: readonly Limit[]): string =>
  table(
    ['Limit', 'From how many stored sessions'],
    limits.map(({ name, sessions }) => [name, about(sessions)]),
  )

export interface Event {
  readonly plan: Plan
  readonly reconnects: readonly Reconnect[]
  readonly gap: { readonly readsPerReplica: number; readonly redisS: number }
  readonly again: { readonly readsPerSecond: number; readonly redisCores: number }
  readonly all: { readonly hours: number; readonly told: number }
}

export const eventTable = (events: readonly Event[]): string =>
  table(
    ['Stored sessions', ...events.map(({ plan }) => about(plan.load.stored))],
    [
      ...(events[0]?.reconnects ?? []).map(({ withinS }, index) => [
        `A replica leaves, its streams return within ${withinS} s: openings a second; cores`,
        ...events.map(({ reconnects }) => {
          const one = reconnects[index]
          return one === undefined ? '' : `${about(one.perSecond)}; ${about(one.cores)}`
        }),
      ]),
      [
        'Messages were lost (failover): reads within 1.5 s by each replica; seconds of Redis for all',
        ...events.map(({ gap }) => `${about(gap.readsPerReplica)}; ${about(gap.redisS)}`),
      ],
      [
        'Nothing is remembered (new `SESSION_KEYS`, all replicas new): further reads a second, at first; cores of Redis',
        ...events.map(({ again }) => `${about(again.readsPerSecond)}; ${about(again.redisCores)}`),
      ],
      [
        'An operator ends everybody: hours; messages to replicas',
        ...events.map(({ all }) => `${about(all.hours)}; ${about(all.told)}`),
      ],
    ],
  )

export const outageTable = (outages: ReadonlyMap<number, Outage>): string =>
  table(
    [
      'IdP away for',
      'Refreshes a second before',
      'attempts a second meanwhile',
      'refreshes a second, the minute after',
      'calls that are 503 at its end',
    ],
    [...outages].map(([awayS, { before, during, after, refusedShare }]) => [
      `${awayS / 60} min`,
      about(before),
      about(during),
      about(after),
      percent(refusedShare),
    ]),
  )

export const slotTable = (nodes: readonly number[]): string =>
  table(
    ['Primaries', ...nodes.map(String)],
    [['The fullest has more than its share, by', ...nodes.map((count) => percent(measureSkew(count, 1e6)))]],
  )

/** Names that are one for all users. */
export const fixedKeyTable = (): string =>
  table(
    ['Name', 'Slot'],
    [CHANNEL, TIME_KEY, `${OWN_PREFIX}ended-all`, `${OWN_PREFIX}ping`].map((key) => [`\`${key}\``, `${slotOf(key)}`]),
  )
