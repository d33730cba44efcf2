import type { BffError } from './errors.ts';
import type { EndReason, Session } from './types.ts';
/** Told who is signed in; with a reason where it is known why nobody is any more. */
export type Listener = (session: Session, reason?: EndReason) => void;
/** Told why the service cannot say who is signed in. What was told before stands. */
export type ErrorListener = (error: BffError) => void;
/**
 * Tells who is signed in at once, and again whenever that is somebody else or nobody: by this tab, by another one, at the
 * IdP, or by an operator. That time passes is no change.
 *
 * @param onError told when the service cannot say; the listener is called again when it can
 * @returns how to stop
 */
export declare function onChange(listener: Listener, onError?: ErrorListener): () => void;
