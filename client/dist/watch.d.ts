import type { BffError } from './errors.ts';
import type { EndReason, Session } from './types.ts';
export interface WatchHearer {
    /** @param isNews this was not told before, or not since the last failure */
    onSession(session: Session, isNews: boolean, reason: EndReason | undefined): void;
    onFailure(error: BffError): void;
}
/**
 * Sees to it that this tab knows who is signed in: asks at the start, follows the stream or the tab that does, asks
 * again when the page comes back or nothing was heard for long. Never slides the idle limit.
 *
 * @returns how to stop
 */
export declare function watch({ onSession, onFailure }: WatchHearer): () => void;
