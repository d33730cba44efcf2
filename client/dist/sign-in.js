import { call } from './call.js';
import { dropHash, keepHash } from './hash.js';
import { getOrigin } from './origin.js';
import { parseReturnTo } from './own-url.js';
/** A browser that did not leave within this time will not: the user has stopped it. */
const LEAVING_MS = 10_000;
let leaving;
/**
 * Leaves the page for the IdP. A second click while that is under way starts nothing.
 *
 * @throws {BffError} when the service, or the IdP behind it, cannot be reached
 */
export function signIn(options = {}) {
    leaving ??= leave(options).catch((error) => {
        leaving = undefined;
        throw error;
    });
    return leaving;
}
/** The same sign-in as the address of a plain link, which works before the script has run. The fragment is lost. */
export function signInUrl(options = {}) {
    return `${getOrigin()}/auth/start?${buildQuery(options).query}`;
}
async function leave(options) {
    const { query, path, hash } = buildQuery(options);
    query.set('response', 'json');
    const answer = await call(`/auth/start?${query}`);
    keepHash(path, hash);
    const stay = () => {
        leaving = undefined;
    };
    setTimeout(stay, LEAVING_MS);
    addEventListener('pageshow', ({ persisted }) => {
        if (!persisted)
            return;
        stay(); // By the back button, out of the browser's page cache.
        dropHash(); // The page has it still.
    });
    location.assign(answer.authorization_url);
}
function buildQuery({ returnTo, ...rest }) {
    const { returnTo: return_to, path, hash } = parseReturnTo(returnTo, getOrigin());
    const query = new URLSearchParams({ return_to });
    for (const [name, value] of Object.entries(rest))
        if (value !== undefined)
            query.set(name, String(value));
    return { query, path, hash };
}
