import { getId, getKnown } from './known.js';
import { getCredentials, getOrigin } from './origin.js';
import { getSession } from './session.js';
/**
 * Calls an API behind oten-bff with the session. After a 401 it asks who is signed in: where that is still the same
 * session, the call is made once more; otherwise the listeners of `onChange` hear of it, and the 401 is the answer.
 *
 * Paths are those of oten-bff (`/api/orders`). What goes to any other origin is passed to the browser's own `fetch` as it
 * is: no cookie travels there by this, and its 401 says nothing about the session.
 */
export async function fetch(input, init = {}) {
    const isRequest = input instanceof Request;
    const url = new URL(isRequest ? input.url : input, getOrigin());
    if (url.origin !== getOrigin())
        return globalThis.fetch(input, init);
    const send = () => globalThis.fetch(isRequest ? input : url, { ...init, credentials: getCredentials() });
    const before = getKnown();
    const response = await send();
    if (response.status !== 401)
        return response;
    const now = await getSession().catch(() => undefined);
    // Not for somebody else who has signed in meanwhile: it was not that user's call.
    const isAlive = now?.authenticated && (!before || getId(before) === getId(now));
    // A stream, and the body of a `Request`, is gone once it is sent.
    const isGone = init.body instanceof ReadableStream || (isRequest && input.method !== 'GET');
    if (!isAlive || isGone)
        return response;
    await response.body?.cancel(); // Nobody reads it, and it would hold its connection.
    return send();
}
