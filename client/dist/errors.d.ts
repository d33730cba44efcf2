import type { ErrorBody } from './api.ts';
/** oten-bff did not do what it was asked, or did not answer at all. */
export declare class BffError extends Error {
    readonly name = "BffError";
    /** HTTP status; 0: no answer. */
    readonly status: number;
    /** Stable code of the service, such as `store_unavailable`; `no_answer` where there is none of the service itself. */
    readonly code: string;
    /** Also in the log of the service. */
    readonly errorId: string | undefined;
    /** Seconds after which it makes sense to ask again. */
    readonly retryAfterS: number | undefined;
    constructor(status: number, body: Partial<ErrorBody>, retryAfterS?: number, options?: ErrorOptions);
}
/** @param response any that is no success; what stands before the service may have made it */
export declare function readFailure(response: Response): Promise<BffError>;
