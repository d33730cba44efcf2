/** Path and query of an address, without the error of an earlier sign-in. */
export declare const getPath: ({ pathname, search }: URL | Location) => string;
/**
 * What the service is told as `return_to`, and what it never sees: the fragment. Apps keep things in it that were never
 * meant for a server.
 *
 * @param returnTo relative to the page; the page itself when absent
 */
export declare function parseReturnTo(returnTo: string | undefined, origin: string): {
    returnTo: string;
    path: string;
    hash: string;
};
/**
 * Why the sign-in that led here failed, once: a reload or a bookmark does not show it again.
 *
 * @returns one of the codes of `auth_error`
 */
export declare function authError(): string | undefined;
