import { getPath } from './own-url.js';
const KEY = 'oten-bff:hash';
/** A return from a sign-in is a new page, which looks once. */
let hasLooked = false;
/** Keeps the fragment of the page that a sign-in will come back to, in this tab alone. */
export function keepHash(path, hash) {
    hasLooked = true; // The page lives on until the browser has left it, and must not take what is for the next one.
    tryStorage((storage) => storage.setItem(KEY, JSON.stringify([path, hash])));
}
export const dropHash = () => tryStorage((storage) => storage.removeItem(KEY));
/**
 * Puts the fragment back that the page had when the sign-in began; `getSession` and `onChange` do it by themselves. On
 * another page than that one it is dropped. Routers hear `hashchange`.
 */
export function restoreHash() {
    if (hasLooked)
        return;
    hasLooked = true;
    tryStorage((storage) => {
        const [path, hash] = JSON.parse(storage.getItem(KEY) ?? '[]');
        storage.removeItem(KEY);
        if (hash && path === getPath(location) && location.hash === '')
            location.replace(hash);
    });
}
/** Without a storage, on a server or in a browser that blocks it, a fragment is lost and nothing else. */
function tryStorage(use) {
    try {
        use(sessionStorage);
    }
    catch { }
}
