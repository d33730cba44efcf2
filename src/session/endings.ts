import type { Store } from '../store/store.ts'
import type { EndReason } from './events.ts'
import { endedKey } from './session-keys.ts'

/** For listeners that were not told, and requests that were under way. */
const REMEMBERED_S = 60

/** How a session was ended; `replaced`: a newer sign-in of the same browser took its place. */
export type Ending = EndReason | 'replaced'

/** How sessions ended that were ended a moment ago. */
export interface Endings {
  note(key: string, ending: Ending): Promise<void>
  /** Undefined when it was longer ago, or is still there. */
  find(key: string): Promise<Ending | undefined>
}

export function createEndings(store: Pick<Store, 'get' | 'set'>): Endings {
  return {
    note: (key, ending) => store.set(endedKey(key), ending, REMEMBERED_S),
    find: async (key) => (await store.get(endedKey(key))) as Ending | undefined, // Of our own making.
  }
}
