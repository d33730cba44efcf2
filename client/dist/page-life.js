/** @returns how to stop */
export function watchPage({ onLeave, onBack, onLook }) {
    const stopping = new AbortController();
    const { signal } = stopping;
    addEventListener('pagehide', onLeave, { signal });
    addEventListener('pageshow', ({ persisted }) => persisted && onBack(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || onLook(), { signal });
    return () => stopping.abort();
}
