import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readMeasured } from '../../bench/scaling/costs.ts'
import { measureGrowth, measureLists } from '../../bench/scaling/kept-keys.ts'
import { measureActions } from '../../bench/scaling/measure-actions.ts'
import { openStage } from '../../bench/scaling/stage.ts'

/** What docs/scaling.md says beside its table: names of users and ports are not always as long. */
const OCTETS_TOLERANCE = 0.1
/** Redis takes room in steps: 2560 octets and then 3072. */
const ROOM_TOLERANCE = 0.25
/** What may pass before a key is looked at, on a busy machine. */
const TTL_TOLERANCE_S = 10

const AGAIN = 'measure again and write: node bench/scaling/measure.ts && node bench/scaling/simulate.ts --write'

const assertAbout = (actual: number, told: number, tolerance: number, what: string): void =>
  assert.ok(Math.abs(actual - told) <= Math.max(told * tolerance, 16), `${what}: ${actual}, told ${told}; ${AGAIN}`)

const told = readMeasured()

test('every action costs the requests, operations and octets that are written down, and leaves those keys', async (t) => {
  const stage = await openStage(t)
  const { actions, kinds } = await measureActions(t, stage)
  assert.deepEqual(Object.keys(actions), Object.keys(told.actions), AGAIN)
  for (const [name, { sentOctets, receivedOctets, toldOctets: _, ...counts }] of Object.entries(actions)) {
    const {
      sentOctets: sent = 0,
      receivedOctets: received = 0,
      toldOctets: _unheld,
      ...wanted
    } = told.actions[name] ?? {}
    assert.deepEqual(counts, wanted, `${name}; ${AGAIN}`)
    assertAbout(sentOctets, sent, OCTETS_TOLERANCE, `${name}: octets to Redis`)
    assertAbout(receivedOctets, received, OCTETS_TOLERANCE, `${name}: octets from Redis`)
  }
  assert.deepEqual(Object.keys(kinds), Object.keys(told.kinds), AGAIN)
  for (const [kind, { octets, ttlS }] of Object.entries(kinds)) {
    const wanted = told.kinds[kind] ?? { octets: 0, ttlS: 0 }
    assertAbout(octets, wanted.octets, ROOM_TOLERANCE, kind)
    assert.ok(Math.abs(ttlS - wanted.ttlS) <= TTL_TOLERANCE_S, `${kind}: ${ttlS} s, told ${wanted.ttlS}; ${AGAIN}`)
  }
})

test('a stored session, and a list of many, take the room in Redis that is written down', async (t) => {
  const stage = await openStage(t)
  const grown = await measureGrowth(stage.redis.port, 1_000, (n) => stage.plant(`user-${n}`))
  assertAbout(grown, told.sessionOctets, OCTETS_TOLERANCE, 'a session')
  const lists = await measureLists(stage.redis.port, Object.keys(told.listOctets).map(Number))
  for (const [size, octets] of Object.entries(lists)) {
    assertAbout(octets, told.listOctets[size] ?? 0, OCTETS_TOLERANCE, `a list of ${size}`)
  }
})
