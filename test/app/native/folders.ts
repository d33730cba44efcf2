import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** What is built here; a folder of this checkout that git ignores. */
export const OUTPUT = join(ROOT, 'test-output/mobile')

export const EXAMPLES = join(ROOT, 'examples')
