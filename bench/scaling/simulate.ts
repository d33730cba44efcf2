import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SETTINGS } from './behaviour.ts'
import { readCosts } from './costs.ts'
import { findLimits } from './limits.ts'
import { readPeak } from './load.ts'
import { planFor } from './plan.ts'
import { simulateDay } from './population.ts'
import { endEverybody, lookAfterGap, meetOutage, readAgain, reconnectAfterRestart } from './scenarios.ts'
import {
  costTable,
  eventTable,
  fixedKeyTable,
  kindTable,
  limitTable,
  listTable,
  outageTable,
  parameterTable,
  planTable,
  redisTable,
  slotTable,
} from './tables.ts'

/** `node bench/scaling/simulate.ts`: prints the tables of docs/scaling.md; with `--write`, puts them there. */

const DOCUMENT = new URL('../../docs/scaling.md', import.meta.url)
const SEED = 20_250_101
/** So many live the day; the others are like them. */
const USERS = 20_000
const SIZES = [1e4, 1e5, 1e6, 1e7, 1e8]
const RECONNECT_S = [1, 5, 30]
const AWAY_S = [60, 600, 1_800]
const NODES = [3, 6, 12, 24, 48]

/** Each table by the name of its place in the document. */
export function buildTables(): ReadonlyMap<string, string> {
  const costs = readCosts()
  const population = simulateDay(SETTINGS, USERS, SEED)
  const peak = readPeak(population)
  const context = { costs, settings: SETTINGS, peak }
  const plans = SIZES.map((sessions) => planFor({ ...context, sessions }))
  const events = plans.map((plan) => ({
    plan,
    reconnects: reconnectAfterRestart(costs, plan, RECONNECT_S),
    gap: lookAfterGap(costs, plan),
    again: readAgain(costs, plan, peak),
    all: endEverybody(costs, plan),
  }))
  const outages = new Map(AWAY_S.map((awayS) => [awayS, meetOutage(SETTINGS, population, SEED, awayS)]))
  const { machine } = costs
  return new Map([
    ['machine', `${machine.cpu}, ${machine.cores} cores, Node ${machine.node.slice(1)}, Redis ${machine.redis}`],
    ['costs', costTable(costs)],
    ['keys', kindTable(costs)],
    ['lists', listTable(costs)],
    ['redis', redisTable(costs)],
    ['parameters', parameterTable()],
    ['plans', planTable(plans)],
    ['limits', limitTable(findLimits(context))],
    ['events', eventTable(events)],
    ['outages', outageTable(outages)],
    ['slots', slotTable(NODES)],
    ['fixed-keys', fixedKeyTable()],
    ['octets', `${costs.sessionOctets} octets of a session; ${costs.streamOctets} octets of an event stream`],
  ])
}

const markersOf = (name: string): readonly [begin: string, end: string] => [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`]

/** The document with each table in its place. @throws {Error} when a place is missing */
export function fillIn(text: string, tables: ReadonlyMap<string, string>): string {
  let filled = text
  for (const [name, content] of tables) {
    const [begin, end] = markersOf(name)
    const from = filled.indexOf(begin)
    const to = filled.indexOf(end, from)
    if (from === -1 || to === -1) throw new Error(`docs/scaling.md has no place for ${name}`)
    filled = filled.slice(0, from + begin.length) + content + filled.slice(to)
  }
  return filled
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tables = buildTables()
  if (process.argv.includes('--write')) writeFileSync(DOCUMENT, fillIn(readFileSync(DOCUMENT, 'utf8'), tables))
  else for (const [name, content] of tables) console.log(`${name}\n\n${content}\n`)
}
