import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const folder = new URL('golden', import.meta.url).pathname

/** What is another one at each run: secrets that were made for it, and the hash of one. */
const hideSecrets = (text: string): string =>
  text
    .replace(/^kind: Secret\n[\s\S]*?(?=^---|$(?![\s\S]))/gm, (secret) =>
      secret.replace(/^( {2}[A-Z_]+: ).+$/gm, '$1…'),
    )
    .replace(/^( *checksum\/session-store: ).+$/gm, '$1…')

/** The script of `helm test` has tests of its own. */
const hideScript = (text: string): string => text.replace(/^( {2}sign-in\.mjs: \|\n)(?: {4}.*\n)+/m, '$1    …\n')

/**
 * Holds a text against the file of that name, which `npm run test:chart -- --update` writes.
 *
 * @param name with its extension
 */
export function assertGolden(name: string, text: string): void {
  const path = `${folder}/${name}`
  const hidden = hideScript(hideSecrets(text))
  if (process.env.UPDATE_GOLDEN === 'true') {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, hidden)
  }
  assert.ok(existsSync(path), `${path} is not there: npm run test:chart -- --update writes it`)
  const advice = `${name} differs: look at the change, then npm run test:chart -- --update`
  assert.equal(hidden, readFileSync(path, 'utf8'), advice)
}
