/**
 * Calls an API behind oten-bff with the session. After a 401 it asks who is signed in: where that is still the same
 * session, the call is made once more; otherwise the listeners of `onChange` hear of it, and the 401 is the answer.
 *
 * Paths are those of oten-bff (`/api/orders`). What goes to any other origin is passed to the browser's own `fetch` as it
 * is: no cookie travels there by this, and its 401 says nothing about the session.
 */
export declare function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
