import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { Engine } from './engine.ts'

/** The two images that the Dockerfile begins with, and whether they are those that it names. */
export interface Bases {
  readonly build: string
  readonly run: string
  readonly isLocal: boolean
}

/** A registry that is there begins to answer at once; one that is slow is not waited for. */
const PULL_MS = 90_000

/** What the Dockerfile's commands use besides Node and npm. */
const TOOLS = ['sh', 'env', 'rm', 'find', 'mkdir', 'ln', 'chmod'] as const

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const findProgram = (name: string): string => {
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .concat('/usr/bin', '/bin')
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate))
  if (path === undefined) throw new Error(`this machine has no ${name}`)
  return realpathSync(path)
}

function copyTo(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true })
  copyFileSync(from, join(root, to))
}

/** The shared libraries of a program, and what loads them, at the places where it looks for them. */
function copyLibraries(root: string, program: string): void {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8', env: { PATH: SEARCH_PATH } })
  for (const [, path = ''] of listed.matchAll(/(\/\S+) \(0x/g)) copyTo(root, path, path)
}

/** An empty system like Debian's: its folders, root and an unprivileged user, the certificates, how names are looked up. */
function createSystem(root: string): void {
  for (const folder of ['usr/bin', 'usr/lib', 'usr/lib64', 'usr/local/bin', 'etc', 'root']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  mkdirSync(join(root, 'tmp'))
  chmodSync(join(root, 'tmp'), 0o1777)
  for (const folder of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${folder}`, join(root, folder))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/\nnonroot:x:65532:65532::/home/nonroot:/\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n')
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n')
  copyTo(root, CERTIFICATES, CERTIFICATES)
}

/** npm as npm was started, or as it is found: a folder of plain JavaScript. */
function copyNpm(root: string): void {
  const cli = realpathSync(process.env.npm_execpath ?? findProgram('npm'))
  cpSync(dirname(dirname(cli)), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
}

async function commit(engine: Engine, root: string, name: string): Promise<string> {
  const image = `localhost/${name}:test`
  const file = join(engine.folder, `${name}.Dockerfile`)
  writeFileSync(file, `FROM scratch\nCOPY . /\nENV PATH=${SEARCH_PATH}\n`)
  await engine.buildah(['build', '--quiet', '--format', 'docker', '--file', file, '--tag', image, root])
  return image
}

/** This machine's Node, npm and few tools, for the place of `node:24-bookworm-slim`. */
async function makeBuildBase(engine: Engine): Promise<string> {
  const root = join(engine.folder, 'build-base')
  createSystem(root)
  copyTo(root, process.execPath, '/usr/local/bin/node')
  copyLibraries(root, process.execPath)
  for (const tool of TOOLS) {
    const path = findProgram(tool)
    copyTo(root, path, `/usr/bin/${tool}`)
    copyLibraries(root, path)
  }
  copyNpm(root)
  return commit(engine, root, 'build-base')
}

/** What Node needs of a system, for the place of distroless `cc`: no program at all. */
async function makeRunBase(engine: Engine): Promise<string> {
  const root = join(engine.folder, 'run-base')
  createSystem(root)
  copyLibraries(root, process.execPath)
  return commit(engine, root, 'run-base')
}

/**
 * The images that the Dockerfile names by default, where a registry has them; or likenesses made of this machine's files.
 *
 * @param dockerfile its text
 */
export async function obtainBases(engine: Engine, dockerfile: string): Promise<Bases> {
  const named = (argument: string): string => new RegExp(`^ARG ${argument}=(\\S+)`, 'm').exec(dockerfile)?.[1] ?? ''
  const [build, run] = [named('BUILD_BASE'), named('RUN_BASE')]
  try {
    for (const image of [run, build]) await engine.podman(['pull', '--quiet', image], { timeoutMs: PULL_MS })
    return { build, run, isLocal: false }
  } catch {
    return { build: await makeBuildBase(engine), run: await makeRunBase(engine), isLocal: true }
  }
}
