import { measureGrowth } from './cases/memory.ts'
import { inFile } from './places.ts'
import { REPORTS } from './report.ts'
import { openStage } from './stage.ts'

const SESSIONS = 1000
const PER_SECOND = 5000
const LOAD_S = 300
const GROWTH_MB_MAX = 40

/** Five minutes of load on one process: does its memory grow without end? Says so; writes nothing. */
export async function soak(): Promise<void> {
  const stage = openStage()
  try {
    const growth = await measureGrowth(stage, await inFile(stage, SESSIONS), PER_SECOND, LOAD_S)
    REPORTS.memory(growth)
    const isMet = growth.growth_mb <= GROWTH_MB_MAX
    console.log(`${isMet ? 'met' : 'NOT MET'}: growth ≤ ${GROWTH_MB_MAX} MB`)
  } finally {
    await stage.close()
  }
}
