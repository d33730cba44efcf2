let chosen;
/**
 * Says where oten-bff is, when that is not the origin of the page. The file that the service itself serves knows it.
 *
 * @throws {TypeError} when `url` is no absolute URL
 */
export function configure({ url }) {
    chosen = new URL(url).origin;
}
/** The origin of oten-bff. */
export const getOrigin = () => chosen ?? location.origin;
/** Not `include` on the page's own origin: an API that redirects elsewhere would take the cookies of that place along. */
export const getCredentials = () => getOrigin() === globalThis.location?.origin ? 'same-origin' : 'include';
