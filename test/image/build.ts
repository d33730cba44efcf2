import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bases, obtainBases } from './bases.ts'
import { createContext, createNpmSecrets, runNpm } from './context.ts'
import { DEMO_IMAGE, type Engine, SERVICE_IMAGE } from './engine.ts'
import { readLockfile } from './files.ts'

const ROOT = new URL('../..', import.meta.url).pathname

/** npm has to bring a hundred packages into each image. */
const BUILD_MS = 300_000

/** The repository as it was when the run began: others may change it meanwhile. */
export const contextOf = (engine: Engine): string => join(engine.folder, 'context')

/** Both are any: what matters is that they arrive. */
export const REVISION = '0123456789abcdef0123456789abcdef01234567'
export const SOURCE = 'https://example.com/oten-bff.git'

/**
 * Builds both images as somebody would who has just cloned the repository.
 *
 * @param canary what must not be found in them
 * @param tell is told of each step
 */
export async function buildImages(engine: Engine, canary: string, tell: (step: string) => void): Promise<Bases> {
  const context = contextOf(engine)
  createContext(context, canary)
  const secrets = createNpmSecrets(join(engine.folder, 'secrets'), canary)
  const bases = await obtainBases(engine, readFileSync(join(context, 'Dockerfile'), 'utf8'))
  tell(bases.isLocal ? 'no registry answers: base images made of this machine’s files' : 'base images pulled')
  const build = async (target: string, image: string, args: readonly string[]): Promise<void> => {
    const options = ['--isolation', 'chroot', '--network', 'host', '--format', 'docker', '--layers', '--pull-never']
    const given = [`BUILD_BASE=${bases.build}`, `RUN_BASE=${bases.run}`, ...args].flatMap((arg) => ['--build-arg', arg])
    await engine.buildah(['build', ...options, '--target', target, '--tag', image, ...given, ...secrets, context], {
      timeoutMs: BUILD_MS,
    })
    tell(`${target} image built`)
  }
  await build('service', SERVICE_IMAGE, [`REVISION=${REVISION}`, `SOURCE=${SOURCE}`])
  await build('demo', DEMO_IMAGE, [])
  return bases
}

/**
 * Writes the bill of materials of what runs in production (CycloneDX).
 *
 * @returns its path
 */
export function writeSbom(engine: Engine): string {
  // `npm sbom --omit dev` leaves out what production shares with development too. So npm is shown a project that has no
  // development; and from its lockfile, since npm describes no node_modules folder in which a platform's package is missing.
  const context = contextOf(engine)
  const readJson = (name: string) => JSON.parse(readFileSync(join(context, name), 'utf8'))
  const project = join(engine.folder, 'sbom', readJson('package.json').name) // npm names the whole by the folder.
  mkdirSync(project, { recursive: true })
  const { devDependencies: _dev, optionalDependencies: _optional, ...manifest } = readJson('package.json')
  const { packages, ...lockfile } = readJson('package-lock.json')
  const production = Object.fromEntries(readLockfile(context).production.map(({ path }) => [path, packages[path]]))
  const { devDependencies: _noDev, optionalDependencies: _none, ...root } = packages['']
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  writeFileSync(
    join(project, 'package-lock.json'),
    JSON.stringify({ ...lockfile, packages: { '': root, ...production } }),
  )

  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only']
  const sbom = runNpm(args, project)
  mkdirSync(join(ROOT, 'test-output'), { recursive: true })
  const path = join(ROOT, 'test-output/sbom.cdx.json')
  writeFileSync(path, sbom)
  return path
}
