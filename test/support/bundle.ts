import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = new URL('../..', import.meta.url).pathname

/**
 * Lays the bundle and what it reads into a folder, as they are in the image: no package is anywhere above it.
 *
 * @returns where a part of it is: `main`, `doctor`, `keys`, `healthcheck`
 */
export async function layBundle(folder: string): Promise<(part: string) => string> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'build/bundle.ts'), join(folder, 'dist/bff')])
  for (const path of ['openapi.yaml', 'client/dist/client.js']) cpSync(join(ROOT, path), join(folder, path))
  return (part) => join(folder, `dist/bff/${part}.mjs`)
}
