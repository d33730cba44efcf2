import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'
import { test } from 'node:test'
import { startRedis } from '../../test/support/redis.ts'
import { writeCosts } from './costs.ts'
import { measureGrowth, measureLists } from './kept-keys.ts'
import { measureActions } from './measure-actions.ts'
import { measureService } from './measure-cpu.ts'
import { measureRedis } from './measure-redis.ts'
import { openStage } from './stage.ts'

/** `node bench/scaling/measure.ts`: writes `costs.json`. A test, since the world of the tests is made for one. */

const SESSIONS = 2_000
const LISTS = [1, 10, 100, 1_000, 10_000]

test('what each action costs is measured and written down', async (t) => {
  const stage = await openStage(t)
  const { actions, kinds } = await measureActions(t, stage)
  const empty = await startRedis(t)
  const redisCpuUs = await measureRedis(t, empty.port)
  const { cpuUs, streamOctets } = await measureService(t)
  writeCosts({
    machine: {
      node: process.version,
      redis: /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? '',
      cores: cpus().length,
      cpu: cpus()[0]?.model ?? '',
    },
    actions,
    kinds,
    sessionOctets: await measureGrowth(stage.redis.port, SESSIONS, (n) => stage.plant(`user-${n}`)),
    listOctets: await measureLists(empty.port, LISTS),
    redisCpuUs,
    cpuUs,
    streamOctets,
  })
})
