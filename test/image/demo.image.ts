import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { findFreePorts, urlsOf } from '../browser/demo-process.ts'
import { createBrowser } from '../support/browser.ts'
import { until } from '../support/until.ts'
import { DEMO_IMAGE, findEngine } from './engine.ts'
import { createName, readPid, readStatus } from './service.ts'

const engine = findEngine()

interface ComposeService {
  readonly build: { readonly context: string; readonly target: string }
  readonly network_mode: string
  readonly environment: Readonly<Record<string, string>>
  readonly read_only: boolean
  readonly tmpfs: readonly string[]
  readonly cap_drop: readonly string[]
  readonly security_opt: readonly string[]
  readonly stop_grace_period: string
}

const { services } = parse(readFileSync(new URL('../../compose.yaml', import.meta.url), 'utf8')) as {
  services: Readonly<Record<string, ComposeService>>
}

/** `${NAME:-default}`, as Compose reads it. */
const fill = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_match, name: string, preset: string) => env[name] || preset)

/** The options of `podman run` that say what the file says; whatever else it says fails the test. */
function toOptions(service: ComposeService, env: Readonly<Record<string, string>>): string[] {
  const { build, network_mode, environment, read_only, tmpfs, cap_drop, security_opt, stop_grace_period, ...rest } =
    service
  assert.deepEqual(rest, {})
  assert.deepEqual(build, { context: '.', target: 'demo' })
  return [
    `--network=${network_mode}`,
    ...Object.entries(environment).map(([name, value]) => `--env=${name}=${fill(value, env)}`),
    ...(read_only ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...tmpfs.map((path) => `--tmpfs=${path}`),
    ...cap_drop.map((name) => `--cap-drop=${name}`),
    ...security_opt.map((option) => `--security-opt=${option}`),
    `--stop-timeout=${Number.parseInt(stop_grace_period, 10)}`,
  ]
}

test('compose.yaml has the demo and nothing else, at the ports of `npm run demo`', () => {
  assert.deepEqual(Object.keys(services), ['demo'])
  assert.ok(services.demo !== undefined)
  const options = toOptions(services.demo, {})
  assert.ok(options.includes('--env=DEMO_PORT=3000'))
  assert.ok(options.includes('--env=DEMO_JAR_ALG=EdDSA'))
})

test('the demo starts as compose.yaml says, a user signs in, and it ends well', async (t) => {
  assert.ok(services.demo !== undefined)
  const ports = await findFreePorts()
  const urls = urlsOf(ports)
  const name = createName()
  t.after(() => engine.tryPodman(['rm', '--force', '--time=1', name]))
  const options = toOptions(services.demo, { DEMO_PORT: String(ports.spa) })
  await engine.podman(['run', '--detach', '--no-healthcheck', `--name=${name}`, ...options, DEMO_IMAGE])
  const log = async (): Promise<string> => {
    const { stdout, stderr } = await engine.tryPodman(['logs', name])
    return stdout + stderr
  }
  await until(async () => (await log()).includes(`demo ready: ${urls.spa}`), 30_000).catch(async (cause) => {
    throw new Error(`the demo is not ready: ${await log()}`, { cause })
  })
  const pid = await readPid(engine, name)
  assert.match(readStatus(pid, 'Uid'), /^65532\t/)
  assert.equal(readStatus(pid, 'CapEff'), '0'.repeat(16))
  for (const url of [urls.spa, urls.phone]) assert.equal((await fetch(url)).status, 200)

  const browser = createBrowser(urls.bff)
  await browser.signIn('ada')
  assert.equal((await browser.session()).authenticated, true)
  const answer = await browser.fetch('/api/demo')
  assert.equal(answer.status, 200)

  await engine.podman(['stop', name], { timeoutMs: 30_000 })
  assert.equal(await engine.podman(['inspect', '--format={{.State.ExitCode}}', name]), '0')
})
