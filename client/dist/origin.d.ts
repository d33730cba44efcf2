/**
 * Says where oten-bff is, when that is not the origin of the page. The file that the service itself serves knows it.
 *
 * @throws {TypeError} when `url` is no absolute URL
 */
export declare function configure({ url }: {
    readonly url: string;
}): void;
/** The origin of oten-bff. */
export declare const getOrigin: () => string;
/** Not `include` on the page's own origin: an API that redirects elsewhere would take the cookies of that place along. */
export declare const getCredentials: () => RequestCredentials;
