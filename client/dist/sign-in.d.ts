import type { Operations } from './api.ts';
type Query = Operations['startSignIn']['query'];
/** What a page may ask of a sign-in; names as on the wire. */
export interface SignInOptions extends Pick<Query, 'prompt' | 'login_hint' | 'ui_locales' | 'acr_values'> {
    /** Where to come back to, relative to this page; this page when absent. */
    readonly returnTo?: string;
    /** Seconds since the user last signed in at the IdP; more, and the IdP asks again. */
    readonly max_age?: number;
}
/**
 * Leaves the page for the IdP. A second click while that is under way starts nothing.
 *
 * @throws {BffError} when the service, or the IdP behind it, cannot be reached
 */
export declare function signIn(options?: SignInOptions): Promise<void>;
/** The same sign-in as the address of a plain link, which works before the script has run. The fragment is lost. */
export declare function signInUrl(options?: SignInOptions): string;
export {};
