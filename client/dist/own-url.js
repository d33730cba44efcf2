/** Octet for octet, or a query would come back spelt in another way. */
const dropError = (search) => search.replace(/([?&])auth_error(=[^&]*)?(&|$)/, '$1').replace(/[?&]$/, '');
/** Path and query of an address, without the error of an earlier sign-in. */
export const getPath = ({ pathname, search }) => pathname + dropError(search);
/**
 * What the service is told as `return_to`, and what it never sees: the fragment. Apps keep things in it that were never
 * meant for a server.
 *
 * @param returnTo relative to the page; the page itself when absent
 */
export function parseReturnTo(returnTo = location.href, origin) {
    const url = new URL(returnTo, location.href);
    const path = getPath(url);
    return { returnTo: url.origin === origin ? path : url.origin + path, path, hash: url.hash };
}
/**
 * Why the sign-in that led here failed, once: a reload or a bookmark does not show it again.
 *
 * @returns one of the codes of `auth_error`
 */
export function authError() {
    const code = new URLSearchParams(location.search).get('auth_error');
    if (code === null)
        return undefined;
    history.replaceState(history.state, '', getPath(location) + location.hash);
    return code;
}
