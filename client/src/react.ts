import { useSyncExternalStore } from 'react'
import { onChange } from './changes.ts'
import type { BffError } from './errors.ts'
import type { EndReason, SignedIn } from './types.ts'

/**
 * What a component knows. `unknown`: the service has not been able to say yet. Who was signed in stays so while the
 * service cannot say, with `error` beside it.
 */
export interface SessionState {
  readonly status: 'loading' | 'signed-in' | 'signed-out' | 'unknown'
  /** Of who is signed in. */
  readonly session?: SignedIn | undefined
  /** Why nobody is signed in any more, where that is known. */
  readonly reason?: EndReason | undefined
  readonly error?: BffError | undefined
}

const LOADING: SessionState = { status: 'loading' }

const redraws = new Set<() => void>()
let state = LOADING
let stop: (() => void) | undefined

function show(next: SessionState): void {
  state = next
  for (const redraw of redraws) redraw()
}

function subscribe(redraw: () => void): () => void {
  redraws.add(redraw)
  stop ??= onChange(
    (session, reason) =>
      show(session.authenticated ? { status: 'signed-in', session } : { status: 'signed-out', reason }),
    (error) => show({ ...state, status: state.status === 'loading' ? 'unknown' : state.status, error }),
  )
  return () => {
    redraws.delete(redraw)
    if (redraws.size > 0) return
    stop?.()
    stop = undefined
  }
}

/** Who is signed in, for a component; it is drawn again when that changes. `loading` on a server. */
export const useSession = (): SessionState =>
  useSyncExternalStore(
    subscribe,
    () => state,
    () => LOADING,
  )
