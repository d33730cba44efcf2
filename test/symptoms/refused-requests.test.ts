import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ClientSpec } from '../../demo/idp/simulator.ts'
import { formatCheck } from '../../src/doctor/report.ts'
import { diagnose } from '../doctor/patient.ts'
import { openBrowser } from '../flows/steps.ts'
import { baseEnv, CLIENT_SECRET, createKey } from '../support/env.ts'
import { createWorld, type World } from '../support/world.ts'
import { assertQuoted, IDP, SERVICE } from './guide.ts'

const KEY = createKey()
const KID = 'key-id-of-oten'
const registered = { jwks: { keys: [{ ...KEY.publicJwk, kty: 'OKP', kid: KID }] }, jwksUri: undefined }
const good = { JAR_KEYS: KEY.privateJwk, JAR_KEY_ID: KID }

interface Mistake {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  readonly alg?: 'HS256' | 'EdDSA'
  readonly client?: Partial<ClientSpec>
  /** What to start with instead; a registered key when absent. */
  readonly cure?: Pick<Mistake, 'alg' | 'env'>
  /** How far the service's clock is ahead, seconds. */
  readonly aheadS?: number
  /** What Oten shows, or says to the callback. */
  readonly said: readonly [error: string, description: string]
  /** The check of the doctor that fails, and the beginning of its remedy. */
  readonly doctor: readonly [check: string, remedy: string]
}

const REGISTER = 'register the public half of the signing key with Oten for this client, and set JAR_KEY_ID'

/** Refused before the IdP knows who asks, so that it cannot send the browser back: its page is the last thing one sees. */
const SHOWN: readonly Mistake[] = [
  {
    name: 'a request with a key that is not registered',
    env: { ...good, JAR_KEYS: createKey().privateJwk },
    said: ['invalid_request_object', `no registered key verifies the signature (kid "${KID}")`],
    doctor: ['authorization request', REGISTER],
  },
  {
    name: 'a request under a key id that is not the registered one',
    env: { ...good, JAR_KEY_ID: 'another-key-id' },
    said: ['invalid_request_object', 'no registered key verifies the signature (kid "another-key-id")'],
    doctor: ['authorization request', REGISTER],
  },
  {
    name: 'a request by HS256, where the client is registered for EdDSA',
    alg: 'HS256',
    client: { ...registered, requestObjectAlg: 'EdDSA' },
    said: ['invalid_request_object', 'alg is "HS256", registered is EdDSA'],
    doctor: ['authorization request', 'check OTEN_CLIENT_SECRET, and that this client may sign with HS256 at Oten'],
  },
  {
    name: 'a request by HS256 with another secret',
    alg: 'HS256',
    env: { OTEN_CLIENT_SECRET: `not-${CLIENT_SECRET}` },
    cure: { alg: 'HS256', env: {} },
    said: ['invalid_request_object', 'signature does not match the client secret'],
    doctor: ['authorization request', 'check OTEN_CLIENT_SECRET'],
  },
  {
    name: 'a request with a redirect URI that is not registered',
    client: { ...registered, redirectUris: ['https://app.example.com/callback'] },
    said: ['invalid_request', 'redirect_uri is not registered'],
    doctor: ['authorization request', `register the redirect URI ${SERVICE}/auth/callback with Oten`],
  },
]

/** Refused once the signature is known to be good: the browser comes back, and only the log knows why. */
const RETURNED: readonly Mistake[] = [
  {
    name: 'a request by a clock that is a minute ahead',
    aheadS: 60,
    said: ['invalid_request_object', 'iat lies '],
    doctor: ['clock', 'synchronise the clock of this machine (NTP)'],
  },
  {
    name: 'a request by a clock that is three minutes behind',
    aheadS: -180,
    said: ['invalid_request', 'expired '],
    doctor: ['clock', 'synchronise the clock of this machine (NTP)'],
  },
  {
    name: 'a request for another audience: the issuer with a slash',
    env: { ...good, JAR_AUDIENCE: `${IDP}/` },
    said: ['invalid_request', `aud is not the issuer as one string: '${IDP}/'`],
    doctor: ['authorization request', 'leave JAR_AUDIENCE unset'],
  },
]

/** A service with one mistake; without any it has a registered key. */
const startWith = (t: TestContext, { env = good, alg = 'EdDSA', client }: Partial<Mistake>): Promise<World> =>
  createWorld(t, { alg, env, client: { ...(alg === 'EdDSA' && registered), ...client } })

/** The IdP's answer to the request of a sign-in, and the browser that got it. */
async function ask(world: World) {
  const browser = openBrowser(world)
  const started = await browser.fetch('/auth/start?return_to=/home')
  const headers = { accept: 'application/json' }
  return { browser, answer: await browser.navigate(String(started.json().authorization_url), { headers }) }
}

/** Runs the doctor with what the service was started with, and holds what it says of this mistake. */
async function assertDiagnosed(
  world: World,
  { env = good, alg = 'EdDSA', aheadS = 0, doctor }: Mistake,
): Promise<void> {
  const own = { PUBLIC_URL: world.publicUrl, OTEN_ISSUER: world.simulator.issuer, ALLOW_INSECURE_ISSUER: 'true' }
  const [name, remedy] = doctor
  const checks = await diagnose({ ...baseEnv(), ...own, JAR_ALG: alg, ...env }, { aheadS })
  const lines = checks.filter((check) => check.name === name).map(formatCheck)
  const general = lines.join('\n').replaceAll(world.publicUrl, SERVICE)
  assert.ok(general.startsWith(`FAIL  ${name}: `) && general.includes(` -> ${remedy}`), general)
  assertQuoted(remedy)
}

const assertSignsIn = async (world: World): Promise<void> =>
  assert.equal((await world.browser().signIn('ada')).location, `${world.publicUrl}/`)

for (const mistake of SHOWN) {
  test(`${mistake.name} ends at the IdP, the doctor says what to do, and done it works`, async (t) => {
    const world = await startWith(t, mistake)
    const { answer } = await ask(world)
    const [error, error_description] = mistake.said
    assert.deepEqual(answer.json(), { error, error_description })
    assertQuoted(`${error}: ${error_description}`)
    await assertDiagnosed(world, mistake)
    await assertSignsIn(await startWith(t, mistake.cure ?? {}))
  })
}

for (const mistake of RETURNED) {
  test(`${mistake.name} comes back as sign_in_failed, the doctor says why, and put right it works`, async (t) => {
    const world = await startWith(t, mistake)
    if (mistake.aheadS !== undefined) world.advance(mistake.aheadS)
    const { browser, answer } = await ask(world)
    const [error, beginning] = mistake.said
    const { searchParams } = new URL(String(answer.location))
    assert.equal(searchParams.get('error'), error)
    assert.ok(searchParams.get('error_description')?.startsWith(beginning), `${answer.location}`)
    const back = await browser.navigate(String(answer.location))
    assert.equal(back.location, `${world.publicUrl}/home?auth_error=sign_in_failed`)
    const [line] = world.events('sign_in_failed')
    assert.equal(line?.reason, error)
    assertQuoted(`"event":"sign_in_failed","code":"sign_in_failed","reason":"${line?.reason}"`)
    await assertDiagnosed(world, mistake)

    if (mistake.aheadS !== undefined) world.advance(-mistake.aheadS)
    await assertSignsIn(mistake.env === undefined ? world : await startWith(t, {}))
  })
}
