import { getOrigin } from './origin.js';
const getName = () => `oten-bff ${getOrigin()}`;
/** @param onNews hears what other tabs tell */
export function openTabs(onNews) {
    const channel = new BroadcastChannel(getName());
    channel.onmessage = ({ data }) => onNews?.(data);
    return { tell: (news) => channel.postMessage(news), close: () => channel.close() };
}
/** Runs in one tab at a time; in the next one when that tab is gone. Never throws. */
export async function runInOneTab(run, signal) {
    // Only secure contexts have locks: elsewhere each tab is on its own.
    if (!navigator.locks)
        return run();
    await navigator.locks.request(getName(), { signal }, run).catch(() => { }); // Stopped before its turn.
}
