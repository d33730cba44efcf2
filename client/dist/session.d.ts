import type { Session } from './types.ts';
/**
 * Who is signed in. Asking does not keep the session alive. Calls at the same time share one request.
 *
 * @param options.touch the user is there: slides the idle limit
 * @throws {BffError} when the service cannot say; nobody is signed out by that
 */
export declare function getSession({ touch }?: {
    readonly touch?: boolean;
}): Promise<Session>;
/** What was asked before is about the past: its answer is not taken in, and shared with nobody. */
export declare const dropQuestion: () => void;
/** Waits for the answer that is under way, if any. */
export declare const waitForAnswer: () => Promise<void>;
