import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const ROOT = new URL('../..', import.meta.url).pathname

/** For what npm does without the network. */
const NPM_MS = 60_000

/** What lies about in a working copy, and must not get into an image; each file holds the canary. */
const LITTER = [
  '.env',
  '.npmrc.local',
  'jar-private-key.jwk.json',
  'data/sessions.db',
  'secrets/session-keys',
  'test-output/log',
  'node_modules/stray/index.js',
  'docs/.env',
] as const

/** As under `umask 077`: what the image needs of readability, the Dockerfile has to give it. */
function closeToOthers(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
  }
}

/**
 * The files of the repository as they are now, committed or not, without what git ignores; and the litter.
 *
 * @param canary a value that nothing else has, to be looked for afterwards
 */
export function createContext(folder: string, canary: string): void {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  for (const path of listed.toString().split('\0')) {
    if (path !== '' && existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path))
  }
  for (const path of LITTER) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), `${canary}\n`)
  }
  closeToOthers(folder)
}

/** npm as this run was started by it, or as it is found. @returns what it printed */
export function runNpm(args: readonly string[], cwd: string): string {
  const cli = process.env.npm_execpath
  const [program, start] = cli === undefined ? ['npm', []] : [process.execPath, [cli]]
  return execFileSync(program, [...start, ...args], { cwd, encoding: 'utf8', timeout: NPM_MS })
}

/** @returns what npm here is set to; `null` and the like where it is not */
function readNpmSettings(): ReadonlyMap<string, string> {
  const printed = runNpm(['config', 'get', 'registry', 'cafile', 'userconfig', 'globalconfig'], ROOT)
  return new Map(printed.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]))
}

const readIfThere = (path: string | undefined): string =>
  path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : ''

/**
 * npm in the build gets the settings of npm here, as secrets of the build, which no layer and no history keeps.
 *
 * @param canary stands in them, to be looked for afterwards
 * @returns options of `buildah build`
 */
export function createNpmSecrets(folder: string, canary: string): string[] {
  mkdirSync(folder, { mode: 0o700 })
  const settings = readNpmSettings()
  const options: string[] = []
  const add = (id: string, content: string): void => {
    writeFileSync(join(folder, id), content, { mode: 0o600 })
    options.push('--secret', `id=${id},src=${join(folder, id)}`)
  }
  const certificates = [settings.get('cafile'), process.env.NODE_EXTRA_CA_CERTS, process.env.SSL_CERT_FILE]
    .map(readIfThere)
    .find((text) => text !== '')
  if (certificates !== undefined) add('ca', certificates)
  const lines = [
    readIfThere(settings.get('globalconfig')),
    readIfThere(settings.get('userconfig')),
    `registry=${settings.get('registry')}`, // Last, since it may come from the environment. Of two lines the later one counts.
    ...(certificates === undefined ? [] : ['cafile=/run/secrets/ca']),
    `//registry.invalid/:_authToken=${canary}`,
  ]
  add('npmrc', `${lines.join('\n')}\n`)
  return options
}
