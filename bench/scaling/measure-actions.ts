import type { TestContext } from 'node:test'
import {
  endFromOutside,
  type Measure,
  manageSessions,
  meetOutage,
  signInAndOut,
  signInApp,
  watchEvents,
  workInSession,
} from './actions.ts'
import { type KeyCost, watchKeys } from './kept-keys.ts'
import type { Stage } from './stage.ts'
import type { Traffic } from './wire.ts'

/** What one action costs, apart from time. */
export interface ActionCost extends Traffic {
  /** To the service. */
  readonly requests: number
  /** Of the service, to the IdP. */
  readonly idpRequests: number
}

export interface Costs {
  readonly actions: Readonly<Record<string, ActionCost>>
  /** What is kept afterwards, by kind of key. */
  readonly kinds: Readonly<Record<string, KeyCost>>
}

/** A pause of the machine can make a short call a long one, which is then watched: what most passes say holds. */
const PASSES = 3

/** Does everything once unmeasured, then some times measured, each time for other users with names as long. */
export async function measureActions(t: TestContext, stage: Stage): Promise<Costs> {
  const passes: Map<string, ActionCost>[] = []
  const keys = watchKeys(t, stage.redis.port)
  await runPass(t, stage, 'user-0', async (_name, act) => {
    const result = await act()
    await keys.look()
    return result
  })
  for (let pass = 1; pass <= PASSES; pass++) {
    const costs = new Map<string, ActionCost>()
    await runPass(t, stage, `user-${pass}`, createMeasure(stage, costs))
    passes.push(costs)
  }
  const names = [...(passes[0]?.keys() ?? [])]
  const costsOf = (name: string) => passes.flatMap((costs) => costs.get(name) ?? [])
  return {
    actions: Object.fromEntries(names.map((name) => [name, commonest(costsOf(name))])),
    kinds: Object.fromEntries([...keys.kinds].toSorted(([a], [b]) => a.localeCompare(b))),
  }
}

async function runPass(t: TestContext, stage: Stage, user: string, measure: Measure): Promise<void> {
  await signInAndOut(stage, measure, `${user}-spa`)
  await signInApp(stage, measure, `${user}-app`)
  await workInSession(stage, measure, `${user}-use`)
  await manageSessions(stage, measure, `${user}-all`)
  await watchEvents(t, stage, measure, `${user}-sse`)
  await endFromOutside(stage, measure, `${user}-end`)
  await meetOutage(stage, measure, `${user}-off`)
}

function createMeasure({ wire, requests, idpRequests }: Stage, costs: Map<string, ActionCost>): Measure {
  return async (name, act) => {
    await wire.read() // What the action before left to be done.
    wire.reset()
    const before = { requests: requests(), idpRequests: idpRequests() }
    const result = await act()
    const traffic = await wire.read()
    const asked = { requests: requests() - before.requests, idpRequests: idpRequests() - before.idpRequests }
    costs.set(name, { ...asked, ...traffic, operations: sortByName(traffic.operations) })
    return result
  }
}

const sortByName = (operations: Traffic['operations']): Traffic['operations'] =>
  Object.fromEntries(Object.entries(operations).toSorted(([a], [b]) => a.localeCompare(b)))

function commonest(costs: readonly ActionCost[]): ActionCost {
  const groups = Map.groupBy(costs, ({ requests, idpRequests, operations, told }) =>
    JSON.stringify([requests, idpRequests, operations, told]),
  )
  const [group = []] = [...groups.values()].toSorted((a, b) => b.length - a.length)
  const [first] = group
  if (first === undefined) throw new Error('nothing was measured')
  return first
}
