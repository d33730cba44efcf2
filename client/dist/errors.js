/** oten-bff did not do what it was asked, or did not answer at all. */
export class BffError extends Error {
    name = 'BffError';
    constructor(status, body, retryAfterS, options) {
        super(body.error_description ?? 'The service did not answer.', options);
        Object.assign(this, { status, code: body.error ?? 'no_answer', errorId: body.error_id, retryAfterS });
    }
}
/** @param response any that is no success; what stands before the service may have made it */
export async function readFailure(response) {
    const body = (await response.json().catch(() => { }));
    return new BffError(response.status, body ?? {}, Number(response.headers.get('retry-after')) || undefined);
}
