import { readStream } from './stream.js';
import { runInOneTab } from './tabs.js';
const WAIT_MS = 1000;
const WAIT_MS_MAX = 30_000;
/**
 * Follows the stream of one session after the other, in one tab at a time, and again when it breaks off. Over HTTP/1.1 a
 * browser opens six connections to a host: a stream in each of twenty tabs would leave none for anything else.
 *
 * @param createHearer makes the one who hears of a session
 * @returns how to say which session there is now; null for none
 */
export function createFollower(createHearer) {
    let followed = null;
    let stopping;
    return (id) => {
        if (id === followed)
            return;
        followed = id;
        stopping?.abort();
        if (id === null)
            return;
        stopping = new AbortController();
        const { signal } = stopping;
        void runInOneTab(() => keepReading(createHearer(id), signal), signal);
    };
}
async function keepReading(hearer, signal) {
    for (let failures = 0;; failures++) {
        let retryAfterS = 0;
        const onSign = () => {
            failures = 0;
            hearer.onSign();
        };
        try {
            await readStream({ ...hearer, onSign }, signal);
        }
        catch (error) {
            const { status, retryAfterS: askedS = 0 } = error; // Or it broke off, and says nothing.
            if (status === 401)
                hearer.onRefused();
            retryAfterS = askedS;
        }
        if (signal.aborted)
            return;
        const waitMs = Math.min(WAIT_MS * 2 ** failures, WAIT_MS_MAX) * (0.5 + Math.random() / 2);
        await wait(Math.max(waitMs, retryAfterS * 1000), signal);
    }
}
const wait = (ms, signal) => new Promise((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener('abort', resolve);
});
