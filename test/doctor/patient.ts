import assert from 'node:assert/strict'
import { type ExecFileException, execFile } from 'node:child_process'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type ClientSpec, type Simulator, startSimulator } from '../../demo/idp/simulator.ts'
import type { Check } from '../../src/doctor/check.ts'
import { examine } from '../../src/doctor/examine.ts'
import { formatCheck } from '../../src/doctor/report.ts'
import { createCanaries } from '../support/canaries.ts'
import { baseEnv, CLIENT_SECRET, createKey } from '../support/env.ts'
import { getFreePort } from '../support/world.ts'

const CLI = fileURLToPath(new URL('../../src/cli/doctor.ts', import.meta.url))

export const KEY_ID = 'key-of-the-patient'

/** As by default; enough for a machine that is busy. */
const TIMEOUT_MS = 8_000

export type Env = Record<string, string>

/** A service that is configured and does not run, with its client registered at the simulator. */
export interface Patient {
  readonly env: Env
  readonly publicUrl: string
  readonly simulator: Simulator
}

export interface PatientOptions {
  readonly client?: Partial<ClientSpec>
  readonly simulator?: Parameters<typeof startSimulator>[0]
}

export async function createPatient(t: TestContext, options: PatientOptions = {}): Promise<Patient> {
  const publicUrl = `http://localhost:${await getFreePort()}`
  const simulator = await startSimulator({ ...options.simulator })
  t.after(() => simulator.close())
  const key = createKey()
  await simulator.addClient({
    clientId: 'bff',
    clientSecret: CLIENT_SECRET,
    redirectUris: [`${publicUrl}/auth/callback`],
    postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`],
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'client_secret_basic',
    jwks: { keys: [{ ...key.publicJwk, kty: 'OKP', kid: KEY_ID }] },
    ...options.client,
  })
  return { env: { ...buildEnv(publicUrl, simulator.issuer), ...withKey(key) }, publicUrl, simulator }
}

const withKey = ({ privateJwk }: { privateJwk: string }): Env => ({
  JAR_KEYS: JSON.stringify({ ...JSON.parse(privateJwk), kid: KEY_ID }),
})

/** A complete environment for an IdP of any address. */
export function buildEnv(publicUrl: string, issuer: string): Env {
  return {
    ...baseEnv(),
    ...withKey(createKey()),
    PUBLIC_URL: publicUrl,
    OTEN_ISSUER: issuer,
    ...(issuer.startsWith('http:') && { ALLOW_INSECURE_ISSUER: 'true' }),
  }
}

/** Every check of this environment. @param aheadS how far our clock is ahead */
export async function diagnose(env: Env, { aheadS = 0 } = {}): Promise<readonly Check[]> {
  const checks: Check[] = []
  for await (const check of examine({ env, timeoutMs: TIMEOUT_MS, now: () => Date.now() / 1000 + aheadS }))
    checks.push(check)
  assertNoSecret(env, checks.map(formatCheck).join('\n'))
  return checks
}

/** The names of all checks that are not ok, so that a test sees that nothing else is wrong. */
export const findTroubles = (checks: readonly Check[]): string[] =>
  checks.filter(({ status }) => status !== 'ok').map(({ status, name }) => `${status} ${name}`)

/** Holds when there is exactly one check of this name, with this verdict, these words and this remedy. */
export function assertCheck(
  checks: readonly Check[],
  status: Check['status'],
  name: string,
  detail: RegExp,
  remedy?: RegExp,
): void {
  const found = checks.filter((check) => check.name === name)
  assert.equal(found.length, 1, `${found.length} checks are called ${name}`)
  const [check] = found
  assert.equal(check?.status, status, JSON.stringify(check))
  assert.match(check?.detail ?? '', detail)
  if (status !== 'ok') assert.match(check !== undefined && 'remedy' in check ? check.remedy : '', remedy ?? /never/)
}

export interface Run {
  readonly status: number | null
  readonly lines: readonly string[]
  readonly stderr: string
}

/** Runs the command as a process of its own; one that hangs is killed, and its status is null. */
export async function runDoctor(env: Env, args: readonly string[] = [], preload: readonly string[] = []): Promise<Run> {
  const { promise, resolve } = Promise.withResolvers<Run>()
  const options = { env: { PATH: process.env.PATH, ...env }, timeout: 18_000, killSignal: 'SIGKILL' } as const
  const imports = preload.flatMap((module) => ['--import', module])
  execFile(process.execPath, [...imports, CLI, ...args], options, (error: ExecFileException | null, stdout, stderr) => {
    const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null
    assert.equal(stdout === '' || stdout.endsWith('\n'), true)
    resolve({ status, lines: stdout.split('\n').slice(0, -1), stderr })
  })
  const run = await promise
  assertNoSecret(env, `${run.lines.join('\n')}\n${run.stderr}`)
  return run
}

/** Nothing of what must not be seen, in any spelling. */
export function assertNoSecret(env: Env, output: string): void {
  const canaries = createCanaries()
  if (env.OTEN_CLIENT_SECRET) canaries.mark('client-secret', env.OTEN_CLIENT_SECRET)
  if (env.ADMIN_TOKEN) canaries.mark('admin-token', env.ADMIN_TOKEN)
  for (const key of env.SESSION_KEYS?.split(',') ?? []) canaries.markKey('session-keys', key)
  const d = /"d":"([^"]+)"/.exec(env.JAR_KEYS ?? '')?.[1]
  if (d !== undefined) canaries.markKey('jar-key', d)
  const password = /^rediss?:\/\/[^:]*:([^@]+)@/.exec(env.SESSION_STORE ?? '')?.[1]
  if (password !== undefined) canaries.mark('redis-password', decodeURIComponent(password))
  assert.deepEqual(canaries.find(output), [])
  // A compact JWS of any kind: its header begins like this.
  assert.doesNotMatch(output, /eyJ/)
}
