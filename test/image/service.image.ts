import assert from 'node:assert/strict'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEvents } from '../support/event-source.ts'
import { until } from '../support/until.ts'
import { getFreePort } from '../support/world.ts'
import { findEngine, HARDENING, SERVICE_IMAGE } from './engine.ts'
import { createName, isLive, prepare, startContainer, toEnvOptions } from './service.ts'

const engine = findEngine()

/** The user of the image, typed and not read from it. */
const UID = '65532'

/** Child processes of a process, whichever of its threads made them. */
const childrenOf = (pid: number): string =>
  readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'))
    .join('')

test('the container is alive and ready; its inner listener is on loopback alone', async (t) => {
  const deployment = await prepare(t)
  const { pid } = await startContainer(t, engine, deployment)
  assert.ok(await isLive(deployment.adminUrl))
  const response = await fetch(`${deployment.adminUrl}/health/ready`)
  assert.equal(response.status, 200)
  const port = Number(deployment.env.ADMIN_PORT).toString(16).toUpperCase().padStart(4, '0')
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => state === '0A' && local.endsWith(`:${port}`))
      .map(([, local]) => local),
  )
  assert.deepEqual(listening, [`0100007F:${port}`]) // 127.0.0.1, as the kernel writes it.
})

test('a user signs in through the container, calls, refreshes and signs out', async (t) => {
  const deployment = await prepare(t)
  const container = await startContainer(t, engine, deployment)
  const browser = deployment.browser()
  assert.deepEqual(await browser.session(), { authenticated: false })
  assert.equal((await browser.signIn('ada', 'return_to=/inbox')).location, `${deployment.publicUrl}/inbox`)
  const session = await browser.session()
  assert.equal(session.authenticated, true)
  assert.equal((session.user as { sub?: unknown }).sub, 'ada')
  assert.equal((await browser.fetch('/auth/refresh', { method: 'POST' })).status, 200)
  assert.match((await browser.fetch('/auth/openapi.yaml')).text, /^openapi: /)
  const left = await browser.fetch('/auth/logout', { method: 'POST' })
  assert.match(String(left.json().logout_url), /\/auth\/logout\/continue\?ticket=/)
  assert.deepEqual(await browser.session(), { authenticated: false })
  assert.equal(childrenOf(container.pid), '', 'one process does it all')
})

test('the process is no root, has no capability, gains none, and can write to the volume alone', async (t) => {
  const { pid, status, exec } = await startContainer(t, engine, await prepare(t))
  assert.equal(status('Uid'), [UID, UID, UID, UID].join('\t'))
  assert.equal(status('Gid'), [UID, UID, UID, UID].join('\t'))
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.equal(status(set), '0'.repeat(16), set)
  assert.equal(status('NoNewPrivs'), '1')
  assert.equal(status('Seccomp'), '2')
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
  const options = new Map(mounts.map(([, , , , path = '', flags = '']) => [path, flags.split(',')]))
  assert.ok(options.get('/')?.includes('ro'))
  assert.ok(options.get('/data')?.includes('rw'))
  const write = (path: string): string => `try { require('fs').writeFileSync('${path}', '') } catch (e) { e.code }`
  for (const path of ['/app/x', '/tmp/x', '/x', '/app/dist/bff/x']) {
    assert.equal(await exec('node', '--print', write(path)), 'EROFS', path)
  }
  assert.equal(await exec('node', '--print', write('/data/x')), 'undefined')
})

test('a session outlives its container, on the same volume', async (t) => {
  const deployment = await prepare(t)
  const volume = createName()
  t.after(() => engine.tryPodman(['volume', 'rm', '--force', volume]))
  const first = await startContainer(t, engine, deployment, [`--volume=${volume}:/data`])
  const browser = deployment.browser()
  await browser.signIn('ada')
  const before = await browser.session()
  assert.equal(before.authenticated, true)
  assert.equal((await first.stop()).code, 0)
  await engine.podman(['rm', first.name])

  await startContainer(t, engine, deployment, [`--volume=${volume}:/data`])
  const after = await browser.session()
  assert.equal(after.session_id, before.session_id)
  assert.deepEqual(after.user, before.user)
})

test('SIGTERM under load ends it with 0 within 10 s; every answer was a good one', async (t) => {
  const deployment = await prepare(t)
  const container = await startContainer(t, engine, deployment)
  const browser = deployment.browser()
  await browser.signIn('ada')
  const headers = { cookie: await browser.jar.getCookieString(deployment.publicUrl) }
  const stream = await openEvents(t, `${deployment.publicUrl}/auth/events`, { ...headers, 'sec-fetch-mode': 'cors' })
  assert.equal((await stream.next())?.event, 'session')

  const statuses = new Map<number, number>()
  let isEnding = false
  const failures: unknown[] = []
  const load = Array.from({ length: 32 }, async () => {
    for (;;) {
      try {
        const response = await fetch(`${deployment.publicUrl}/auth/session`, { headers })
        await response.arrayBuffer()
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
        if (response.status !== 200) return
      } catch (error) {
        if (!isEnding) failures.push(error) // Afterwards nobody listens.
        return
      }
    }
  })
  await until(() => (statuses.get(200) ?? 0) > 500)
  isEnding = true
  const { code, tookMs } = await container.stop()
  await Promise.all(load)
  t.diagnostic(`ended ${Math.round(tookMs)} ms after docker stop, statuses ${JSON.stringify([...statuses])}`)
  assert.equal(code, 0, await container.log())
  assert.ok(tookMs <= 10_000, `${tookMs} ms`)
  assert.deepEqual(failures, [])
  assert.deepEqual(
    [...statuses.keys()].filter((status) => status !== 200 && status !== 503),
    [],
  )
  assert.match(await container.log(), /"msg":"draining"/)
})

test('the health check of the image tells a live service from none', async (t) => {
  const deployment = await prepare(t)
  const { exec } = await startContainer(t, engine, deployment)
  const inspected = JSON.parse(await engine.buildah(['inspect', '--type=image', SERVICE_IMAGE]))
  const { Test: command, ...times } = inspected.Docker.config.Healthcheck
  assert.deepEqual(command, ['CMD', 'node', 'dist/bff/healthcheck.mjs'])
  assert.deepEqual(times, { Interval: 30e9, Timeout: 5e9, StartPeriod: 20e9 })
  assert.equal(await exec(...command.slice(1)), '')
  const elsewhere = toEnvOptions({ ADMIN_PORT: String(await getFreePort()) })
  const run = ['run', '--rm', ...HARDENING, ...elsewhere, SERVICE_IMAGE, ...command.slice(2)]
  const { code, stderr } = await engine.tryPodman(run)
  assert.equal(code, 1)
  assert.match(stderr, /\/health\/live: .*ECONNREFUSED/)
})

test('a configuration fault ends the container with 1 and says what is wrong', async () => {
  const { code, stderr } = await engine.tryPodman(['run', '--rm', ...HARDENING, SERVICE_IMAGE])
  assert.equal(code, 1)
  assert.match(stderr, /^PUBLIC_URL: /m)
})

test('the doctor of the image finds nothing wrong with the deployment', async (t) => {
  const deployment = await prepare(t)
  await startContainer(t, engine, deployment)
  const env = toEnvOptions(deployment.env)
  const doctor = ['run', '--rm', ...HARDENING, ...env, SERVICE_IMAGE, 'dist/bff/doctor.mjs']
  const lines = (await engine.podman(doctor)).split('\n')
  assert.ok(lines.length > 15)
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('ok ')),
    [],
  )
})

test('keys made by the image start the service, given as files that only its user can read', async (t) => {
  const deployment = await prepare(t)
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-keys-'))
  t.after(() => rmSync(folder, { recursive: true }))
  chownSync(folder, Number(UID), Number(UID))
  const cli = (...args: string[]): Promise<string> =>
    engine.podman([
      'run',
      '--rm',
      ...HARDENING,
      `--volume=${folder}:/keys`,
      SERVICE_IMAGE,
      'dist/bff/keys.mjs',
      ...args,
    ])
  assert.match(await cli('generate', '--out', '/keys'), /^Wrote \/keys\/jar-private-key\.jwk\.json/)
  const sessionKey = await cli('session')
  assert.match(sessionKey, /^[\w-]{43}$/)

  const { JAR_KEYS: _given, ...env } = deployment.env
  const files = { SESSION_KEYS: sessionKey, JAR_KEYS_FILE: '/keys/jar-private-key.jwk.json' }
  await startContainer(t, engine, { ...deployment, env: { ...env, ...files } }, [`--volume=${folder}:/keys:ro`])
  const browser = deployment.browser()
  await browser.signIn('ada')
  assert.equal((await browser.session()).authenticated, true)
  const made = JSON.parse(readFileSync(join(folder, 'jar-private-key.jwk.json'), 'utf8')) as { kid: string }
  const { keys } = (await browser.fetch('/auth/jwks.json')).json() as { keys: { kid: string }[] }
  assert.deepEqual(
    keys.map(({ kid }) => kid),
    [made.kid],
  )
})
