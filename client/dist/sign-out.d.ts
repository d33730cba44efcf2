/**
 * Ends the session here, tells the other tabs, and goes to the IdP to end it there too, which leads back.
 *
 * @param options.returnTo where to go in the end, relative to this page; without it the IdP leads back to this page, and
 *   where there is nothing to do at the IdP the page stays
 * @throws {BffError} when the service cannot be reached; the user is still signed in
 */
export declare function signOut({ returnTo }?: {
    readonly returnTo?: string;
}): Promise<void>;
