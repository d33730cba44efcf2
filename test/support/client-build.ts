import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

const ROOT = new URL('../..', import.meta.url).pathname
const TSC = join(ROOT, 'node_modules/.bin/tsc')

/**
 * The files of `client/dist` by name: each module with its types for bundlers, and `client.js`, which is all of them in
 * one small file for pages without a bundler.
 *
 * @throws {Error} with what the compiler says when the sources have a fault
 */
export function buildClient(): ReadonlyMap<string, string> {
  return new Map([...buildModules(), ['client.js', buildServedFile()]])
}

function buildModules(): [name: string, text: string][] {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-client-'))
  try {
    execFileSync(TSC, ['--project', join(ROOT, 'client'), '--outDir', folder], { encoding: 'utf8' })
    // `served.ts` is for the one file alone: to import it would put the service where the bundle is.
    const names = readdirSync(folder).filter((name) => !name.startsWith('served.'))
    return names.map((name) => [name, readFileSync(join(folder, name), 'utf8')])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function buildServedFile(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(ROOT, 'client/src/served.ts')],
    bundle: true,
    minify: true,
    mangleProps: /^on[A-Z]/, // What only our own functions call each other's parameters by.
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  return outputFiles.map(({ text }) => text).join('')
}
