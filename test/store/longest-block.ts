import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'

/** For how many milliseconds `work`, or what ran meanwhile, kept everyone else waiting at most. */
export async function longestBlockMs(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  await turn() // What blocked before would count too: the loop learns the time once per turn.
  delay.enable()
  await work()
  await turn()
  await turn() // The last block is recorded in the turn after it.
  delay.disable()
  return delay.max / 1e6
}
