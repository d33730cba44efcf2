import type { BffError } from './errors.ts';
import type { EndReason, SignedIn } from './types.ts';
/**
 * What a component knows. `unknown`: the service has not been able to say yet. Who was signed in stays so while the
 * service cannot say, with `error` beside it.
 */
export interface SessionState {
    readonly status: 'loading' | 'signed-in' | 'signed-out' | 'unknown';
    /** Of who is signed in. */
    readonly session?: SignedIn | undefined;
    /** Why nobody is signed in any more, where that is known. */
    readonly reason?: EndReason | undefined;
    readonly error?: BffError | undefined;
}
/** Who is signed in, for a component; it is drawn again when that changes. `loading` on a server. */
export declare const useSession: () => SessionState;
