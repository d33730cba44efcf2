import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { MakePages } from './topology.ts'

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url))
const VITE = fileURLToPath(new URL('../../../node_modules/vite/bin/vite.js', import.meta.url))

/** The example apps, and where each is on a host. */
export const PATHS = { 'spa-vanilla': '/', 'spa-react': '/react/' } as const
export type Example = keyof typeof PATHS

const run = promisify(execFile)

/** Builds the examples with Vite as their READMEs say, for both places, and a page for whoever else is there. */
export const makeExamplePages =
  (...examples: readonly Example[]): MakePages =>
  async (folder, loginOrigin) => {
    const [app, spa, others] = ['app', 'spa', 'others'].map((name) => join(folder, name)) as [string, string, string]
    mkdirSync(others)
    writeFileSync(join(others, 'index.html'), '<!doctype html><link rel="icon" href="data:,"><p>Not yours')
    for (const example of examples) {
      await Promise.all([build(example, app), build(example, spa, { VITE_BFF_URL: loginOrigin })])
    }
    return { app, spa, others }
  }

async function build(example: Example, folder: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const base = PATHS[example]
  const args = ['build', '--outDir', join(folder, base), '--base', base, '--logLevel', 'warn']
  await run(process.execPath, [VITE, ...args], {
    cwd: join(EXAMPLES, example),
    env: { PATH: process.env.PATH, ...env },
  })
}
