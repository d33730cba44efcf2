import { BffError, readFailure } from './errors.js';
import { getCredentials, getOrigin } from './origin.js';
/** Longer than any answer takes: one that never comes would keep the next questions waiting for it. */
const ANSWER_MS = 30_000;
/** Asks oten-bff with the session cookie, which no script sees. */
export const send = (path, init) => fetch(getOrigin() + path, { ...init, credentials: getCredentials(), cache: 'no-store' });
/** @returns the JSON of an answer that is a success @throws {BffError} */
export async function call(path, init) {
    let response;
    try {
        response = await send(path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) });
        if (response.ok)
            return (await response.json());
    }
    catch (cause) {
        // With a status: a proxy that shows its own page, or an answer that broke off.
        throw new BffError(response?.status ?? 0, {}, undefined, { cause });
    }
    throw await readFailure(response);
}
