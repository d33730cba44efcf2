export { onChange } from './changes.js';
export { BffError } from './errors.js';
export { fetch } from './fetch.js';
export { restoreHash } from './hash.js';
export { configure } from './origin.js';
export { authError } from './own-url.js';
export { getSession } from './session.js';
export { signIn, signInUrl } from './sign-in.js';
export { signOut } from './sign-out.js';
