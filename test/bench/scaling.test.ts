import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { SETTINGS } from '../../bench/scaling/behaviour.ts'
import { readCosts } from '../../bench/scaling/costs.ts'
import { buildLoad, readPeak, totalOf } from '../../bench/scaling/load.ts'
import { planFor } from '../../bench/scaling/plan.ts'
import { findPeak, simulateDay } from '../../bench/scaling/population.ts'
import { createRespReader, type RespValue } from '../../bench/scaling/resp.ts'
import { meetOutage } from '../../bench/scaling/scenarios.ts'
import { buildTables, fillIn } from '../../bench/scaling/simulate.ts'
import { crc16, nodeOf, sampleKey, slotOf } from '../../bench/scaling/slots.ts'
import { loadConfig } from '../../src/config.ts'
import { createRedisStore } from '../../src/store/redis-store.ts'
import { VALID_ENV } from '../config/valid-env.ts'
import { askRedis, findFreePort, startRedis } from '../support/redis.ts'

const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const population = simulateDay(SETTINGS, 3_000, 7)
const peak = readPeak(population)
const costs = readCosts()

test('docs/scaling.md has the tables of the simulation as it is', () => {
  const document = read('docs/scaling.md')
  assert.equal(fillIn(document, buildTables()), document, 'write them: node bench/scaling/simulate.ts --write')
})

test('a table that has no place in the document is an error, and not left out', () => {
  const tables = new Map([['plans', 'x']])
  assert.equal(fillIn('<!-- plans -->\nold\n<!-- /plans -->', tables), '<!-- plans -->\nx\n<!-- /plans -->')
  assert.throws(() => fillIn('nothing', tables), /no place for plans/)
})

test('the simulation is told what the service really does: limits, notes of use, memory, looks', (t) => {
  const { browser } = loadConfig(VALID_ENV).session
  assert.deepEqual([SETTINGS.idleS, SETTINGS.maxS], [browser.idleS, browser.maxS])
  const [, noteS] = /Math\.min\((\d+), Math\.floor\(record\.idleS \/ 20\)\)/.exec(read('src/session/sessions.ts')) ?? []
  assert.equal(SETTINGS.noteS, Number(noteS))
  const [, generation] = /GENERATION_MAX = (\d+)/.exec(read('src/session/open-session-cache.ts')) ?? []
  assert.equal(SETTINGS.cacheSessions, 2 * Number(generation))
  const [, lookMs = ''] = /LOOK_MS_MAX = ([\d_]+)/.exec(read('src/routes/event-stream.ts')) ?? []
  assert.equal(SETTINGS.lookS * 1_000, Number(lookMs.replace('_', '')))
  const stores = ['redis://127.0.0.1:1', 'redis://127.0.0.1:1,127.0.0.1:2?cluster=true'].map((url) =>
    createRedisStore(url),
  )
  t.after(() => Promise.all(stores.map((store) => store.close())))
  assert.deepEqual(
    stores.map(({ watch }) => watch !== undefined),
    [true, false],
  ) // Remembered over one Redis alone.
})

test('the same seed lives the same day, and another another', () => {
  // Of the whole day: what differs would be too long to be shown.
  const live = (seed: number) => hash('sha256', JSON.stringify(simulateDay(SETTINGS, 200, seed).visits))
  const [once, again, other] = [live(1), live(1), live(2)]
  assert.equal(once, again)
  assert.notEqual(once, other)
})

test('a user of the simulation does what the settings say', () => {
  const perUser = (action: string): number =>
    (population.perMinute.get(action) ?? new Float64Array()).reduce((sum, count) => sum + count, 0) / population.users
  const isAbout = (actual: number, wanted: number) =>
    assert.ok(Math.abs(actual - wanted) < wanted / 10, `${actual}, ${wanted}`)
  isAbout(perUser('sign-in of a page: start'), SETTINGS.visitsPerDay)
  const opens = SETTINGS.appShare * SETTINGS.devicesPerAppUser * SETTINGS.opensPerDay
  isAbout(perUser('session check, again'), SETTINGS.visitsPerDay * SETTINGS.pagesPerVisit + opens)
  const calls = SETTINGS.visitsPerDay * SETTINGS.pagesPerVisit * SETTINGS.callsPerPage
  isAbout(perUser('proxied call'), calls + opens * SETTINGS.screensPerOpen * SETTINGS.callsPerScreen)
  const [least = 0, most = 0] = [Math.min, Math.max].map((pick) => pick(...population.stored) / population.users)
  assert.ok(least > SETTINGS.appShare * SETTINGS.devicesPerAppUser * 0.9, 'sessions of apps are there at night, too')
  assert.ok(most < least + SETTINGS.visitsPerDay, 'those of browsers come and go')
})

test('alone, a replica reads a session again only once its use was noted; among very many, for every request', () => {
  const { runs } = population
  const requests = runs.reduce((sum, length) => sum + length, 0)
  assert.equal(peak.coldShare(1), runs.length / requests)
  assert.ok(peak.coldShare(1) < 0.2)
  assert.ok(peak.coldShare(1e6) > 0.999)
})

test('twice as many sessions are twice the load, where nothing is remembered', () => {
  const loadOf = (sessions: number) =>
    buildLoad({ costs, settings: SETTINGS, peak, sessions, replicas: 4, remembers: false })
  const [one, two] = [loadOf(1e6), loadOf(2e6)]
  for (const figure of ['users', 'requests', 'cores', 'messages', 'streams'] as const) {
    assert.ok(Math.abs(two[figure] / one[figure] - 2) < 1e-9, figure)
  }
  assert.ok(Math.abs(totalOf(two.operations) / totalOf(one.operations) - 2) < 1e-9)
})

test('a plan is enough for its load, and never one replica or two nodes', () => {
  for (const sessions of [1_000, 1e5, 3e6, 3e7]) {
    const plan = planFor({ costs, settings: SETTINGS, peak, sessions })
    assert.ok(plan.replicaShare <= SETTINGS.coreShare, `${sessions}: ${plan.replicaShare}`)
    assert.ok(plan.redisShare <= SETTINGS.coreShare, `${sessions}: ${plan.redisShare}`)
    assert.ok(plan.redisOctets / plan.nodes <= SETTINGS.redisGb * 2 ** 30)
    assert.ok(plan.replicas >= 2 && plan.nodes !== 2)
  }
})

test('an IdP that is away is asked more often than before, and more often again when it is back', () => {
  const outage = meetOutage(SETTINGS, population, 1, 600)
  assert.ok(outage.during > outage.before)
  assert.ok(outage.after > outage.before)
  assert.ok(outage.refusedShare > 0 && outage.refusedShare < 1)
})

test('one session that calls all the time asks an IdP that is away as often as its rests allow, and once when it is back', () => {
  const series = Float64Array.from({ length: 1_440 }, (_, minute) => (minute === 600 ? 1 : 0))
  const fromS = findPeak([series]) * 60
  const calls = Array.from({ length: 700 }, (_, second) => fromS + second)
  const alone = {
    ...population,
    users: 1_000,
    perMinute: new Map([['x', series]]),
    visits: [{ kind: 'app', calls } as const],
  }
  const { before, during, after: back, refusedShare } = meetOutage(SETTINGS, alone, 1, 600)
  const attempts = Math.round(during * 600)
  assert.ok(attempts >= 5 + (600 - 31) / 30 && attempts <= 5 + 600 / 15, `${attempts}`) // 1, 2, 4, 8, 16, then 15 to 30 s.
  assert.deepEqual([before, Math.round(back * 60), refusedShare], [0, 1, 1])
})

test('keys are placed as Redis Cluster places them', async () => {
  assert.equal(crc16('123456789'), 0x31c3) // Redis Cluster Specification, appendix A
  const port = await findFreePort()
  const redis = await startRedis({ after }, ['--cluster-enabled', 'yes', '--cluster-port', `${port}`])
  const keys = ['oten-bff:0:session-events', 'oten-bff:time', 'a{}{b}', 'a{b}{c}', 'a{b', ...[1, 2, 3].map(sampleKey)]
  for (const key of keys) assert.equal(`${slotOf(key)}`, await askRedis(redis.port, 'CLUSTER', 'KEYSLOT', key), key)
  assert.deepEqual(
    ['a{foo}', 'b{foo}:meta'].map((key) => nodeOf(key, 48)),
    [nodeOf('foo', 48), nodeOf('foo', 48)],
  )
})

test('the wire counts whole values, however they are cut, and what is in them', () => {
  const text =
    '*2\r\n$3\r\nGET\r\n$4\r\nk\r\nk\r\n+OK\r\n$-1\r\n:7\r\n>2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n%1\r\n+x\r\n:1\r\n_\r\n'
  const wanted = [['GET', 'k\r\nk'], ['OK'], [''], ['7'], ['a', 'b'], ['x', '1'], ['']]
  for (const size of [1, 2, 7, text.length]) {
    const values: RespValue[] = []
    const feed = createRespReader((value) => void values.push(value))
    for (let at = 0; at < text.length; at += size) feed(Buffer.from(text.slice(at, at + size)))
    assert.deepEqual(
      values.map(({ strings }) => strings),
      wanted,
    )
    assert.equal(
      values.reduce((sum, { octets }) => sum + octets, 0),
      text.length,
    )
  }
})
