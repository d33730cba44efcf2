import assert from 'node:assert/strict'
import type { ChangeWatch, Store } from '../../src/store/store.ts'

/** What a store tells of its keys that begin with `watched:`. */
export interface Watched extends ChangeWatch {
  /** Keys, in order. */
  readonly told: string[]
  /** How often changes may have been missed. */
  gaps(): number
}

export function watchStore(store: Store): Watched {
  const told: string[] = []
  let gaps = 0
  assert.ok(store.watch !== undefined)
  const listener = { onChange: (key: string) => void told.push(key), onGap: () => void gaps++ }
  const { isCurrent } = store.watch('watched:', listener)
  return { told, gaps: () => gaps, isCurrent }
}
