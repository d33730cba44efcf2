import type { Results } from './results.ts'

/** One line of what the figures are held to. */
export interface Target {
  readonly name: string
  /** As it is printed: `≥ 0.65`. */
  readonly limit: string
  readonly isMet: (value: number) => boolean
  /** The figure; undefined where it was not measured. */
  readonly read: (results: Partial<Results>) => number | undefined
}

export interface Verdict {
  readonly name: string
  readonly limit: string
  readonly value: number | undefined
  readonly isMet: boolean
}

const atLeast = (min: number) => ({ limit: `≥ ${min}`, isMet: (value: number) => value >= min })
const atMost = (max: number, unit = '') => ({ limit: `≤ ${max}${unit}`, isMet: (value: number) => value <= max })
const exactly = (wanted: number) => ({ limit: `= ${wanted}`, isMet: (value: number) => value === wanted })

/** How fast each case is to be, by the name it has in `results.json`; the picture shows them, too. */
export const RATIOS_MIN: Readonly<Record<string, number>> = {
  'session hit, memory:, 1 k sessions, of bare Fastify': 0.65,
  'session hit, memory:, 1 M sessions, of bare Fastify': 0.65,
  'session hit, file:, 1 k sessions, of bare Fastify': 0.65,
  'session hit, file:, 1 M sessions, of bare Fastify': 0.65,
  'session hit, Redis, 1 k sessions, of bare Fastify': 0.5,
  'session hit, Redis, 1 M sessions, of bare Fastify': 0.5,
  'verify, file:, 1 k sessions, of bare Fastify': 0.65,
  'verify, Redis, 1 k sessions, of bare Fastify': 0.5,
  'start, EdDSA, of bare Fastify': 0.1,
  'start, HS256, of bare Fastify': 0.13,
  'proxy, of bare @fastify/reply-from': 0.85,
}

const ratios: readonly Target[] = Object.entries(RATIOS_MIN).map(([name, min]) => ({
  name,
  ...atLeast(min),
  read: ({ results = [] }) => results.find((result) => result.case === name)?.ratio,
}))

const tail = (store: string): Target => ({
  name: `p99.9 of a session hit, ${store}, as a multiple of p50`,
  ...atMost(5),
  read: ({ latency = [] }) => {
    const found = latency.find((one) => one.case.startsWith(`session hit, ${store},`))
    return found && Math.round((found.p999 / found.p50) * 10) / 10
  },
})

const room = (store: string): Target => ({
  name: `octets of a session beyond its tokens and claims, ${store}`,
  ...atMost(600),
  read: ({ room: rooms = [] }) => rooms.find((one) => one.store === store)?.beyond,
})

const failuresOf = ({ results = [], latency = [], storm = [] }: Partial<Results>): number | undefined => {
  const all = [...results, ...latency, ...storm]
  return all.length === 0 ? undefined : all.reduce((sum, { failed }) => sum + failed, 0)
}

/** Every promise about speed and size, in the order in which it is printed. */
export const TARGETS: readonly Target[] = [
  ...ratios,
  tail('memory:'),
  tail('file:'),
  { name: 'refresh storm: token requests', ...exactly(1000), read: ({ storm: [one] = [] }) => one?.token_requests },
  { name: 'refresh storm: failed calls', ...exactly(0), read: ({ storm: [one] = [] }) => one?.failed },
  { name: 'resident memory when idle', ...atMost(110, ' MB'), read: ({ memory: [one] = [] }) => one?.idle_mb },
  { name: 'growth of memory by the load', ...atMost(40, ' MB'), read: ({ memory: [one] = [] }) => one?.growth_mb },
  { name: 'start-up to the first answer', ...atMost(500, ' ms'), read: ({ start_up: [one] = [] }) => one?.ms },
  room('file:'),
  room('Redis'),
  {
    name: 'longest pause while expired sessions are swept',
    ...atMost(20, ' ms'),
    read: ({ sweep: [one] = [] }) => one?.longest_ms,
  },
  { name: 'answers that were not as expected', ...exactly(0), read: failuresOf },
  { name: 'the whole run', ...atMost(300, ' s'), read: ({ took_s: took }) => took },
]

/** Holds figures to the targets; what was not measured is not met. */
export const judge = (results: Partial<Results>): Verdict[] =>
  TARGETS.map(({ name, limit, isMet, read }) => {
    const value = read(results)
    return { name, limit, value, isMet: value !== undefined && isMet(value) }
  })
