const root = new URL('../..', import.meta.url).pathname

/** Exact versions of schemathesis and of everything that it needs. */
export const REQUIREMENTS = `${root}test/schemathesis/requirements.txt`

/** Beside the other caches of this checkout: `npm ci` clears it. */
export const FOLDER = `${root}node_modules/.cache/schemathesis`

export const BIN = `${FOLDER}/bin/schemathesis`
