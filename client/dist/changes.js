import { restoreHash } from './hash.js';
import { getKnown } from './known.js';
import { watch } from './watch.js';
const entries = new Set();
let lastReason;
let failure;
let stop;
/**
 * Tells who is signed in at once, and again whenever that is somebody else or nobody: by this tab, by another one, at the
 * IdP, or by an operator. That time passes is no change.
 *
 * @param onError told when the service cannot say; the listener is called again when it can
 * @returns how to stop
 */
export function onChange(listener, onError) {
    restoreHash();
    const entry = { listener, onError };
    entries.add(entry);
    const known = getKnown();
    if (known !== undefined)
        say(entry, known);
    if (failure !== undefined)
        sayFailure(entry, failure);
    stop ??= watch({ onSession, onFailure });
    return () => {
        entries.delete(entry);
        if (entries.size > 0)
            return;
        stop?.();
        stop = lastReason = failure = undefined;
    };
}
function onSession(session, isNews, reason) {
    failure = undefined;
    if (!isNews)
        return;
    lastReason = reason;
    for (const entry of entries)
        say(entry, session);
}
function onFailure(error) {
    failure = error;
    for (const entry of entries)
        sayFailure(entry, error);
}
/** Later, and each by itself: what one listener throws is no matter of the others. */
const say = (entry, session, reason = lastReason) => queueMicrotask(() => entries.has(entry) && entry.listener(session, reason));
const sayFailure = (entry, error) => queueMicrotask(() => entries.has(entry) && entry.onError?.(error));
