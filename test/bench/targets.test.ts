import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSlower, readLimit } from '../../bench/limit.ts'
import { isWhole, parseOptions, WHOLE } from '../../bench/options.ts'
import type { Results } from '../../bench/results.ts'
import { judge, RATIOS_MIN, TARGETS } from '../../bench/targets.ts'

const comparison = (name: string, ratio: number) => ({
  case: name,
  ratio,
  cpu_ratio: ratio,
  per_second: 1,
  cpu_us: 1,
  rss_mb: 1,
  failed: 0,
  slices: [],
})

/** Figures that just meet every target. */
const FINE: Omit<Results, 'machine' | 'connections' | 'rounds' | 'slice_ms'> = {
  took_s: 300,
  results: Object.entries(RATIOS_MIN).map(([name, min]) => comparison(name, min)),
  latency: ['memory:', 'file:'].map((store) => ({
    case: `session hit, ${store}, 1 k sessions, at half of its capacity`,
    per_second: 1,
    p50: 0.2,
    p99: 0.5,
    p999: 1,
    max: 9,
    failed: 0,
    rounds: [],
  })),
  storm: [{ sessions: 1000, calls: 20, token_requests: 1000, reused: 0, failed: 0, took_ms: 1 }],
  start_up: [{ case: 'plain', ms: 500, runs_ms: [500] }],
  memory: [{ idle_mb: 110, loaded_mb: 200, after_mb: 150, growth_mb: 40, load_s: 10, per_second: 1 }],
  room: ['file:', 'Redis'].map((store) => ({ store, sessions: 1, octets: 1600, content: 1000, beyond: 600 })),
  sweep: [{ sessions: 1, expired: 1, swept: 1, took_ms: 1, p99_ms: 1, longest_ms: 20 }],
}

const notMet = (results: Partial<Results>): string[] =>
  judge(results)
    .filter(({ isMet }) => !isMet)
    .map(({ name }) => name)

test('figures at their limits meet every target', () => {
  assert.deepEqual(notMet(FINE), [])
  assert.ok(TARGETS.length >= 20)
})

test('each figure a little worse misses its own target, and no other', () => {
  const [memory = '', ...others] = Object.keys(RATIOS_MIN)
  const worse: readonly [string, Partial<Results>][] = [
    [memory, { results: [comparison(memory, 0.64), ...FINE.results.slice(1)] }],
    [
      'p99.9 of a session hit, file:, as a multiple of p50',
      { latency: FINE.latency.map((one, index) => (index === 1 ? { ...one, p999: 1.2 } : one)) },
    ],
    ['refresh storm: token requests', { storm: FINE.storm.map((one) => ({ ...one, token_requests: 1001 })) }],
    ['resident memory when idle', { memory: FINE.memory.map((one) => ({ ...one, idle_mb: 111 })) }],
    ['growth of memory by the load', { memory: FINE.memory.map((one) => ({ ...one, growth_mb: 41 })) }],
    ['start-up to the first answer', { start_up: FINE.start_up.map((one) => ({ ...one, ms: 501 })) }],
    [
      'octets of a session beyond its tokens and claims, Redis',
      { room: FINE.room.map((one) => (one.store === 'Redis' ? { ...one, beyond: 601 } : one)) },
    ],
    [
      'longest pause while expired sessions are swept',
      { sweep: FINE.sweep.map((one) => ({ ...one, longest_ms: 20.1 })) },
    ],
    ['answers that were not as expected', { results: FINE.results.map((one) => ({ ...one, failed: 1 })) }],
    ['the whole run', { took_s: 301 }],
  ]
  assert.ok(others.length > 5)
  for (const [name, change] of worse) assert.deepEqual(notMet({ ...FINE, ...change }), [name])
  const failedCalls = { storm: FINE.storm.map((one) => ({ ...one, failed: 1 })) }
  assert.deepEqual(notMet({ ...FINE, ...failedCalls }), [
    'refresh storm: failed calls',
    'answers that were not as expected',
  ])
})

test('what was not measured is not met', () => {
  assert.deepEqual(
    notMet({}),
    TARGETS.map(({ name }) => name),
  )
})

test('the guard takes fifteen per cent less for noise, and nothing below that', () => {
  const limit = readLimit([{ case: 'a', cpu_ratio: 0.8 }], 'a')
  assert.deepEqual(
    [0.8, 0.69, 0.67, Number.NaN].map((ratio) => isSlower(ratio, limit)),
    [false, false, true, true],
  )
  assert.throws(() => readLimit([], 'a'), /npm run bench/)
})

test('a run that was made shorter is no whole run, and writes nothing down', () => {
  const parse = (...args: string[]) => parseOptions(args, ['session', 'storm'])
  assert.deepEqual(parse(), WHOLE)
  assert.ok(isWhole(parse()))
  for (const args of [
    ['--rounds', '1'],
    ['--seconds', '0.3'],
    ['--sessions', '5000'],
    ['--only', 'storm'],
  ]) {
    assert.ok(!isWhole(parse(...args)), args.join(' '))
  }
  assert.throws(() => parse('--only', 'nothing'), /session, storm/)
  assert.throws(() => parse('--rounds', 'many'), /--rounds/)
  assert.throws(() => parse('--fast'))
})
