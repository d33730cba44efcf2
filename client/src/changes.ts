import type { BffError } from './errors.ts'
import { restoreHash } from './hash.ts'
import { getKnown } from './known.ts'
import type { EndReason, Session } from './types.ts'
import { watch } from './watch.ts'

/** Told who is signed in; with a reason where it is known why nobody is any more. */
export type Listener = (session: Session, reason?: EndReason) => void

/** Told why the service cannot say who is signed in. What was told before stands. */
export type ErrorListener = (error: BffError) => void

interface Entry {
  readonly listener: Listener
  readonly onError: ErrorListener | undefined
}

const entries = new Set<Entry>()
let lastReason: EndReason | undefined
let failure: BffError | undefined
let stop: (() => void) | undefined

/**
 * Tells who is signed in at once, and again whenever that is somebody else or nobody: by this tab, by another one, at the
 * IdP, or by an operator. That time passes is no change.
 *
 * @param onError told when the service cannot say; the listener is called again when it can
 * @returns how to stop
 */
export function onChange(listener: Listener, onError?: ErrorListener): () => void {
  restoreHash()
  const entry: Entry = { listener, onError }
  entries.add(entry)
  const known = getKnown()
  if (known !== undefined) say(entry, known)
  if (failure !== undefined) sayFailure(entry, failure)
  stop ??= watch({ onSession, onFailure })
  return () => {
    entries.delete(entry)
    if (entries.size > 0) return
    stop?.()
    stop = lastReason = failure = undefined
  }
}

function onSession(session: Session, isNews: boolean, reason: EndReason | undefined): void {
  failure = undefined
  if (!isNews) return
  lastReason = reason
  for (const entry of entries) say(entry, session)
}

function onFailure(error: BffError): void {
  failure = error
  for (const entry of entries) sayFailure(entry, error)
}

/** Later, and each by itself: what one listener throws is no matter of the others. */
const say = (entry: Entry, session: Session, reason = lastReason): void =>
  queueMicrotask(() => entries.has(entry) && entry.listener(session, reason))

const sayFailure = (entry: Entry, error: BffError): void =>
  queueMicrotask(() => entries.has(entry) && entry.onError?.(error))
