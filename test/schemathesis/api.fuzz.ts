import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startApi } from '../../demo/api/server.ts'
import { createPhone } from '../flows/phone.ts'
import { createWorld, getFreePort, type World } from '../support/world.ts'
import { BIN, FOLDER } from './installation.ts'

const DOCUMENT = new URL('../../openapi.yaml', import.meta.url).pathname

/** Seconds that each caller asks for, and requests of each kind for an operation; longer in campaigns. */
const SECONDS = process.env.FUZZ_SECONDS ?? '30'
const SEED = process.env.FUZZ_SEED ?? '9101'

/** What may end the session that the rest of the run needs, and the stream of events, which does not end with one. */
const NOT_SIGNED_IN = ['/auth/logout', '/auth/sessions/{session_id}', '/auth/events'] as const

async function build(t: TestContext): Promise<World> {
  const simulatorPort = await getFreePort()
  const apiPort = await getFreePort()
  const world = await createWorld(t, {
    simulator: { port: simulatorPort },
    env: { RATE_LIMIT_PER_MINUTE: '0', LOG_LEVEL: 'error', API_ROUTES: `/api/demo=http://127.0.0.1:${apiPort}` },
  })
  const api = await startApi({ port: apiPort, issuer: world.simulator.issuer })
  t.after(() => api.close())
  return world
}

interface Run {
  readonly headers?: Readonly<Record<string, string>>
  readonly without?: readonly string[]
}

/** @returns the exit code, and what it printed */
async function fuzz(
  t: TestContext,
  world: World,
  { headers = {}, without = [] }: Run,
): Promise<[number | null, string]> {
  const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const options = [
    ['--url', world.publicUrl],
    ['--seed', SEED],
    ['--max-time', SECONDS],
    ['--phases', 'examples,coverage,fuzzing'],
    ['--checks', 'all'],
    // Whether a valid request succeeds depends on what went before it: a code, a session, a ticket. And a wrong credential
    // beside the right one of the other kind is no credential ignored.
    ['--exclude-checks', 'positive_data_acceptance,ignored_auth'],
    ['--warnings', 'off'],
    ['--max-redirects', '0'],
    ...Object.entries(headers).map(([name, value]) => ['-H', `${name}: ${value}`]),
    ...without.map((path) => ['--exclude-path', path]),
  ]
  const child = spawn(BIN, ['run', DOCUMENT, '--continue-on-failure', '--no-color', ...options.flat()], {
    cwd: folder,
    env: { ...process.env, PYTHONPATH: FOLDER },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const cases = /(\d+) generated/.exec(output)?.[1] ?? '0'
  t.diagnostic(`${cases} cases`)
  assert.ok(Number(cases) > 200, output)
  return [code, output]
}

async function assertSound(t: TestContext, world: World, run: Run): Promise<void> {
  const [code, output] = await fuzz(t, world, run)
  assert.equal(code, 0, output)
  const faults = world.logs.filter((line) => JSON.parse(line).code === 'server_error')
  assert.deepEqual(faults, [], 'no failure of ours in the log')
}

test('openapi.yaml, asked by nobody in particular: no undocumented answer, no failure', async (t) => {
  await assertSound(t, await build(t), {})
})

test('openapi.yaml, asked by a page that is signed in: no undocumented answer, no failure', async (t) => {
  const world = await build(t)
  const browser = world.browser()
  await browser.signIn('ada')
  const cookie = `oten_session=${await browser.cookie('oten_session')}`
  const headers = { cookie, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }
  await assertSound(t, world, { headers, without: NOT_SIGNED_IN })
  assert.equal((await browser.session()).authenticated, true, 'the session has outlived all of it')
})

test('openapi.yaml, asked by an app that is signed in: no undocumented answer, no failure', async (t) => {
  const world = await build(t)
  const phone = createPhone(world)
  const { code } = await phone.signIn('grace')
  const { session_token: token } = (await phone.redeem(code, { session: 'token' })).json()
  const headers = { authorization: `Bearer ${token}` }
  await assertSound(t, world, { headers, without: NOT_SIGNED_IN })
  assert.equal((await phone.call(String(token))).json().authenticated, true, 'the session has outlived all of it')
})
