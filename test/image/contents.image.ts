import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { contextOf, REVISION, SOURCE } from './build.ts'
import { DEMO_IMAGE, findEngine, SERVICE_IMAGE } from './engine.ts'
import { openTree, readLockfile } from './files.ts'

const engine = findEngine()
const context = contextOf(engine)
const manifest = JSON.parse(readFileSync(join(context, 'package.json'), 'utf8')) as Record<string, unknown>
const licence = existsSync(join(context, 'LICENSE')) ? ['LICENSE'] : []

/** With these somebody who got in could go on. */
const PROGRAMS = /^(sh|bash|dash|ash|ksh|zsh|csh|busybox|npm|npx|corepack|yarn|pnpm|apt|apt-get|dpkg|apk|curl|wget)$/

const inspect = async (image: string): Promise<string> => engine.podman(['image', 'inspect', image])

test('the image holds the bundle, what it reads, what says which packages are in it, and no other file of the repository', async (t) => {
  const { entries } = await openTree(t, engine, SERVICE_IMAGE)
  const below = (folder: string): string[] =>
    entries.filter(({ path, isFile }) => isFile && path.startsWith(folder)).map(({ path }) => path.slice(5))
  const inApp = new Set(entries.map(({ path }) => /^\/app\/([^/]+)/.exec(path)?.[1]).filter(Boolean))
  const wanted = ['client', 'data', 'dist', 'node_modules', 'openapi.yaml', 'package.json', ...licence]
  assert.deepEqual([...inApp].sort(), wanted.sort())
  assert.deepEqual(below('/app/client/'), ['client/dist/client.js'])
  const named = below('/app/dist/bff/').filter((path) => !/-[A-Z0-9]{8}\.mjs$/.test(path))
  assert.deepEqual(
    named.sort(),
    ['doctor', 'healthcheck', 'keys', 'main'].map((name) => `dist/bff/${name}.mjs`),
  )
  assert.deepEqual(
    below('/app/node_modules/').filter((path) => !/\/(package\.json|(licen[sc]e|notice)[^/]*)$/i.test(path)),
    [],
  )
})

test('the packages of the image are those of the lockfile for production, to the version; no Node package, no npm', async (t) => {
  const { entries, read } = await openTree(t, engine, SERVICE_IMAGE)
  const { production, other } = readLockfile(context)
  const found = entries
    .map(({ path }) => /^\/app\/(.*node_modules\/(?:@[^/]+\/)?[^/@]+)\/package\.json$/.exec(path)?.[1])
    .filter((path) => path !== undefined)
    .map(
      (path) => `${path} ${(JSON.parse(read(`/app/${path}/package.json`).toString()) as { version: string }).version}`,
    )
  assert.deepEqual(found.sort(), production.map(({ path, version }) => `${path} ${version}`).sort())
  assert.ok(production.length > 50 && other.length > 50)
  assert.deepEqual(
    other.filter(({ path }) => entries.some((entry) => entry.path === `/app/${path}`)),
    [],
  )

  const code = entries.filter(({ path, isFile }) => isFile && path.startsWith('/app/dist/'))
  const parts = code.flatMap(
    ({ path }) =>
      read(path)
        .toString()
        .match(/^\s*\/\/ (?:src|node_modules)\/\S+$/gm) ?? [],
  )
  assert.ok(parts.length > 500)
  const known = new Set(production.map(({ path }) => path))
  const strangers = parts
    .map((line) => /(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(line.trim().slice(3))?.[0])
    .filter((path) => path !== undefined && !known.has(path))
  assert.deepEqual(strangers, [], 'packages in the bundle that are not for production')
})

test('the image has no shell, no package manager, no test, no type declaration, no set-uid program', async (t) => {
  const { entries } = await openTree(t, engine, SERVICE_IMAGE)
  const files = entries.filter(({ isFile }) => isFile)
  const nameOf = (path: string): string => path.replace(/^.*\//, '')
  assert.deepEqual(
    entries.filter(({ path }) => PROGRAMS.test(nameOf(path)) || nameOf(path) === '.package-lock.json'),
    [],
  )
  assert.deepEqual(
    files.filter(({ path }) => /\/tests?\/|[./]test\.[cm]?js$|\.d\.[cm]?ts$|\.map$/.test(path)),
    [],
  )
  assert.deepEqual(
    files.filter(({ mode }) => (mode & 0o6000) !== 0),
    [],
  )
})

test('only root could change what the service runs; only its user the volume', async (t) => {
  const { entries } = await openTree(t, engine, SERVICE_IMAGE)
  const ours = entries.filter(({ path, mode }) => path.startsWith('/app') && (mode & 0o170_000) !== 0o120_000)
  assert.deepEqual(
    ours.filter(({ uid, mode }) => uid !== 0 || (mode & 0o022) !== 0),
    [],
  )
  assert.deepEqual(
    ours.filter(({ mode }) => (mode & 0o004) === 0),
    [],
    'readable for every user',
  )
  const volume = entries.find(({ path }) => path === '/data')
  assert.equal(volume?.uid, 65_532)
  assert.equal((volume?.mode ?? 0) & 0o777, 0o755)
})

for (const image of [SERVICE_IMAGE, DEMO_IMAGE]) {
  test(`${image}: no secret of the build, nothing that lay about in the working copy, no private key`, async (t) => {
    const canary = process.env.IMAGE_CANARY ?? ''
    assert.ok(canary.length > 20)
    const { entries, read } = await openTree(t, engine, image)
    const isBare = image === SERVICE_IMAGE
    const holding = entries
      .filter(({ path, isFile }) => isFile && !path.endsWith('/bin/node'))
      .filter(({ path }) => {
        const text = read(path).toString('latin1')
        const hasKey = isBare && /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[\w+/]{40}/.test(text)
        return hasKey || text.includes(canary)
      })
    assert.deepEqual(holding, [])
    assert.deepEqual(
      entries.filter(({ path }) => /\/(\.env[^/]*|\.git|id_rsa)$/.test(path)),
      [],
    )
    assert.ok(!(await inspect(image)).includes(canary), 'history and settings')
  })
}

test('the settings of the image: an unprivileged number as user, node as entry, the volume, and no variable of the service', async () => {
  const [{ Config: config }] = JSON.parse(await inspect(SERVICE_IMAGE)) as [{ Config: Record<string, unknown> }]
  assert.equal(config.User, '65532:65532')
  assert.deepEqual(config.Entrypoint, ['node'])
  assert.deepEqual(config.Cmd, ['dist/bff/main.mjs'])
  assert.equal(config.WorkingDir, '/app')
  assert.deepEqual(config.Volumes, { '/data': {} })
  assert.deepEqual(config.ExposedPorts, { '8080/tcp': {} })
  const names = (config.Env as string[]).map((line) => line.split('=', 1)[0] ?? '')
  assert.deepEqual(
    names.filter((name) => /^(HOST|PORT|PUBLIC_URL|ADMIN_|OTEN_|JAR_|SESSION_|ALLOW)/.test(name)),
    [],
  )
})

test('the labels say what it is, of which version and commit; a licence only where there is one', async () => {
  const [{ Labels: labels }] = JSON.parse(await inspect(SERVICE_IMAGE)) as [{ Labels: Record<string, string> }]
  const ours = Object.entries(labels).filter(([name]) => name.startsWith('org.opencontainers.image.'))
  const { 'org.opencontainers.image.licenses': licences, ...rest } = Object.fromEntries(ours)
  assert.deepEqual(rest, {
    'org.opencontainers.image.title': manifest.name,
    'org.opencontainers.image.description': manifest.description,
    'org.opencontainers.image.version': manifest.version,
    'org.opencontainers.image.revision': REVISION,
    'org.opencontainers.image.source': SOURCE,
  })
  assert.equal(licences !== undefined, licence.length > 0)
})
