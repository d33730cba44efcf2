export interface PageLife {
  /** The page goes, perhaps for good. One that still listens to something is not kept for the back button. */
  onLeave(): void
  /** It was kept, and is back: whatever it shows is of the past. */
  onBack(): void
  /** The user looks at it again. */
  onLook(): void
}

/** @returns how to stop */
export function watchPage({ onLeave, onBack, onLook }: PageLife): () => void {
  const stopping = new AbortController()
  const { signal } = stopping
  addEventListener('pagehide', onLeave, { signal })
  addEventListener('pageshow', ({ persisted }) => persisted && onBack(), { signal })
  document.addEventListener('visibilitychange', () => document.hidden || onLook(), { signal })
  return () => stopping.abort()
}
