import type { TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { watchEnd } from '../../src/session/watch-end.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { newSession } from '../plugins/build-service.ts'

/** A session of one hour, or as long as it is said, and the clock that it is watched by. */
export async function buildWatch(t: TestContext, maxS = 3600, idleS = maxS) {
  const time = { now: 1_800_000_000 }
  const now = (): number => time.now
  const memory = createMemoryStore({ now })
  t.after(() => memory.close())
  const store: Store = { ...memory, exclusive: false }
  const listeners = { begun: 0, stopped: 0, gap: [] as (() => void)[] }
  store.subscribe = (channel, listener, onGap) => {
    if (onGap !== undefined) listeners.gap.push(onGap)
    return memory.subscribe(channel, listener, onGap)
  }
  const limits = { idleS, maxS }
  const config = {
    session: { store: 'memory:', browser: limits, app: limits, sameSite: 'strict' as const, claims: [] },
  }
  const events = createSessionEvents(store)
  const seal = createSeal(() => [{ id: 'k', key: Buffer.alloc(32, 7) }])
  const sessions = createSessions({ store, seal, events, config, now })
  const session = await sessions.create(newSession(time.now))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const ended = t.mock.fn()
  const counted: Parameters<typeof watchEnd>[1]['events'] = {
    listen: async (...parts) => {
      listeners.begun += 1
      const stop = await events.listen(...parts)
      return () => {
        listeners.stopped += 1
        stop()
      }
    },
  }
  const deps = { sessions, events: counted, now }
  const watch = (changes: Partial<typeof deps> = {}): (() => void) => watchEnd(session, { ...deps, ...changes }, ended)
  /** Time passes, and whatever it sets off comes to rest. */
  const pass = async (ms: number): Promise<void> => {
    await settle()
    time.now += ms / 1000
    t.mock.timers.tick(ms)
    await settle()
  }
  return { time, store, listeners, events, sessions, session, watch, pass, ends: () => ended.mock.callCount() }
}

export const settle = async (): Promise<void> => {
  for (let round = 0; round < 10; round++) await turn()
}
