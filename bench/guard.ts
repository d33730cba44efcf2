import { readFileSync } from 'node:fs'
import { proxyOfReplyFrom } from './cases/proxy.ts'
import { sessionHit } from './cases/session.ts'
import { verify } from './cases/verify.ts'
import { type Case, compare, stopBare } from './compare.ts'
import { leaveServerCore } from './cores.ts'
import { createFew } from './groups.ts'
import { isSlower, type Limit, readLimit } from './limit.ts'
import type { Comparison } from './results.ts'
import { openStage, type Stage } from './stage.ts'

/** The best of five rounds counts, of each. */
const OPTIONS = { rounds: 5, seconds: 0.3, warmUpS: 3.5 } as const

/** Not `start`, which writes to the disk: what that takes differs by more than is tolerated. */
async function buildCases(stage: Stage): Promise<Case[]> {
  const few = createFew(stage)
  return [sessionHit(await few.memory()), verify(await few.file()), await proxyOfReplyFrom(stage, await few.file())]
}

/** @returns whether it is as fast as it was */
async function check(one: Case, limit: Limit, attempt: string): Promise<boolean> {
  const { cpu_ratio: ratio, failed } = await compare(one, OPTIONS)
  const isFine = failed === 0 && !isSlower(ratio, limit)
  const figures = `${ratio.toFixed(2)} by CPU, committed ${limit.committed.toFixed(2)}, least ${limit.least.toFixed(2)}`
  console.log(
    `${isFine ? 'ok    ' : 'SLOWER'} ${one.name.padEnd(52)} ${figures}${failed > 0 ? `, ${failed} failed` : ''}${attempt}`,
  )
  return isFine
}

/** Holds the ratios of a few cases against the committed ones. What is slower is measured once more before it counts. */
async function guard(committed: readonly Comparison[]): Promise<boolean> {
  const stage = openStage()
  try {
    const limits = (await buildCases(stage)).map((one) => [one, readLimit(committed, one.name)] as const)
    const slower: typeof limits = []
    for (const [one, limit] of limits) {
      if (!(await check(one, limit, ''))) slower.push([one, limit])
    }
    const still: string[] = []
    for (const [one, limit] of slower) {
      if (!(await check(one, limit, ', once more'))) still.push(one.name)
    }
    console.log(still.length === 0 ? 'as fast as it was' : `slower than it was: ${still.join('; ')}`)
    return still.length === 0
  } finally {
    await stopBare()
    await stage.close()
  }
}

const { results } = JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8')) as {
  results: Comparison[] // Written by `run.ts`.
}
leaveServerCore()
process.exitCode = (await guard(results)) ? 0 : 1
