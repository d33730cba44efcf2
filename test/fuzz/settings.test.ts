import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { hold, RUNS_DEFAULT, readKeptSeeds, readSettings, SEED_DEFAULT } from './settings.ts'

const here = new URL('.', import.meta.url).pathname
const sources = globSync('*.test.ts', { cwd: here }).map((name) => readFileSync(here + name, 'utf8'))

test('without a setting the values are few, and the same in every run', () => {
  assert.deepEqual(readSettings({}), { runs: RUNS_DEFAULT, seed: SEED_DEFAULT })
  assert.deepEqual(readSettings({ FUZZ_RUNS: '', FUZZ_SEED: '' }), { runs: RUNS_DEFAULT, seed: SEED_DEFAULT })
  assert.deepEqual(readSettings({ FUZZ_RUNS: '4000', FUZZ_SEED: '-7' }), { runs: 4000, seed: -7 })
})

test('a setting that is no integer stops the run, and is not taken for another one', () => {
  for (const text of ['x', '1.5', '1e3', '0x10', ' 5', '0', '-1', 'Infinity', '99999999999']) {
    assert.throws(() => readSettings({ FUZZ_RUNS: text }), /^Error: FUZZ_RUNS must be an integer/, text)
  }
  assert.throws(() => readSettings({ FUZZ_SEED: '1.5' }), /^Error: FUZZ_SEED must be an integer/)
})

test('every kept seed names a property that there is, and says why it is kept', () => {
  for (const { property, seed, path, why, ...others } of readKeptSeeds()) {
    assert.ok(
      sources.some((source) => source.includes(`test('${property}'`) || source.includes(`test("${property}"`)),
      property,
    )
    assert.ok(Number.isSafeInteger(seed))
    assert.match(path ?? '0', /^\d+(?::\d+)*$/)
    assert.match(why, /^[A-Z].*\.$/)
    assert.deepEqual(others, {})
  }
})

test('a kept seed is tried before any other value', async () => {
  const tried: number[] = []
  const property = fc.property(fc.nat(), (number) => void tried.push(number))
  await hold({ name: 'any' }, property, { share: 0.05 }, [])
  const [own] = tried.splice(0)
  await hold({ name: 'any' }, property, { share: 0.05 }, [
    { property: 'any', seed: 5, path: '3', why: '' },
    { property: 'other', seed: 6, why: '' },
  ])
  const kept = fc.sample(fc.nat(), { seed: 5, numRuns: 4 })[3]
  assert.deepEqual(tried.slice(0, 2), [kept, own])
  assert.equal(tried.length, 1 + Math.round(readSettings(process.env).runs * 0.05))
})

/** Runs a campaign of one file. */
const campaign = (file: string, ...more: string[]): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const args = [`${here}campaign.ts`, ...more, `${here}fixtures/${file}`]
    const { FUZZ_RUNS: _runs, FUZZ_SEED: _seed, ...env } = process.env
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr })
    })
  })

test('a campaign ends with 1 at the first round that fails, and says how to see it again', async () => {
  const { code, output } = await campaign('breaks.ts')
  assert.equal(code, 1)
  const [, seed] = /^round 1: FUZZ_SEED=(\d+) FUZZ_RUNS=4000$/m.exec(output) ?? []
  assert.ok(seed !== undefined && output.includes(`FUZZ_RUNS=4000 FUZZ_SEED=${seed} node --test`), output)
  assert.match(output, /seed: \d+, path: "[\d:]+"/)
  assert.match(output, /test\/fuzz\/seeds\.json/)
})

test('a campaign whose properties hold runs until its time is over, each round with a seed of its own', async () => {
  const { code, output } = await campaign('holds.ts', '--minutes', '0.01')
  assert.equal(code, 0, output)
  const seeds = [...output.matchAll(/FUZZ_SEED=(\d+)/g)].map(([, seed]) => seed)
  assert.ok(seeds.length >= 1 && new Set(seeds).size === seeds.length)
  assert.match(output, /^round 1: 1 tests passed/m)
})

test('a campaign with an option that makes no sense says how it is used, and ends with 2', async () => {
  for (const more of [
    ['--minutes', '0'],
    ['--rounds', '5'],
  ]) {
    assert.equal((await campaign('holds.ts', ...more)).code, 2)
  }
})
