import { useSyncExternalStore } from 'react';
import { onChange } from './changes.js';
const LOADING = { status: 'loading' };
const redraws = new Set();
let state = LOADING;
let stop;
function show(next) {
    state = next;
    for (const redraw of redraws)
        redraw();
}
function subscribe(redraw) {
    redraws.add(redraw);
    stop ??= onChange((session, reason) => show(session.authenticated ? { status: 'signed-in', session } : { status: 'signed-out', reason }), (error) => show({ ...state, status: state.status === 'loading' ? 'unknown' : state.status, error }));
    return () => {
        redraws.delete(redraw);
        if (redraws.size > 0)
            return;
        stop?.();
        stop = undefined;
    };
}
/** Who is signed in, for a component; it is drawn again when that changes. `loading` on a server. */
export const useSession = () => useSyncExternalStore(subscribe, () => state, () => LOADING);
