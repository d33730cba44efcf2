import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createIdp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { sendPlain } from '../flows/steps.ts'
import type { Received } from '../idp/hostile-idp.ts'
import { createTestStore } from '../plugins/build-service.ts'
import { type Answer, type Browser, createBrowser } from '../support/browser.ts'
import { baseEnv, createKey } from '../support/env.ts'
import { getFreePort } from '../support/world.ts'
import { type Provider, startProvider, type Twist } from './provider.ts'

export interface JourneyOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Members of the discovery document that differ. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** The real service on a real port, and a provider on another that can do anything. One clock for both. */
export interface Journey {
  readonly provider: Provider
  readonly publicUrl: string
  readonly adminUrl: string
  /** Moves the clock, not the machine's. */
  advance(seconds: number): void
  browser(): Browser
  /** Start, provider, callback, as a browser goes. The provider checks what it is asked. */
  signIn(twist?: Twist, options?: { readonly browser?: Browser; readonly query?: string }): Promise<Outcome>
  /** Log entries of an event. */
  events(name: string): readonly Record<string, unknown>[]
  /** Nothing secret was logged. */
  assertSilent(): void
}

/** What a sign-in came to. */
export interface Outcome {
  readonly browser: Browser
  /** To the callback. */
  readonly answer: Answer
  /** What reached the provider from the callback on. */
  readonly requests: readonly Received[]
  /** Why it failed, by the log. */
  readonly reason: unknown
  /** Keys in the store after the callback that were not there before the start. */
  readonly kept: readonly string[]
  /** The same callback with the same cookies. */
  replay(): Promise<Answer>
}

export async function startJourney(t: TestContext, options: JourneyOptions = {}): Promise<Journey> {
  let offset = 0
  const now = (): number => Date.now() / 1000 + offset
  const port = await getFreePort()
  const publicUrl = `http://localhost:${port}`
  const provider = await startProvider(t, { publicUrl, now })
  const { idp: hostile } = provider
  Object.assign(hostile.metadata, options.metadata)
  const logs: string[] = []
  const config = loadConfig({
    ...baseEnv(),
    PUBLIC_URL: publicUrl,
    PORT: String(port),
    OTEN_ISSUER: hostile.issuer,
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_KEYS: createKey().privateJwk,
    BACKCHANNEL_LOGOUT: 'on',
    API_ROUTES: `/api/accounts=${hostile.issuer}/accounts`,
    ...options.env,
  })
  const store = createTestStore()
  const { log } = createLog(config.logLevel, { write: (line: string) => void logs.push(line) })
  const idp = createIdp(config, { now, log })
  const { app, admin } = await createService({ config, store, idp, log, now })
  t.after(async () => {
    await Promise.all([app.close(), admin.close()])
    await idp.close()
    await store.close()
  })
  await app.listen({ ...config.listen })
  const adminUrl = await admin.listen({ host: '127.0.0.1', port: 0 })
  hostile.on('/accounts', () => ({ body: {} }))

  const entries = () => logs.map((line) => JSON.parse(line) as Record<string, unknown>)
  const events: Journey['events'] = (name) => entries().filter(({ event }) => event === name)
  const browser = (): Browser => createBrowser(publicUrl)
  const keysInStore = async () => [...(await store.dump()).keys()]

  return {
    provider,
    publicUrl,
    adminUrl,
    advance: (seconds) => {
      offset += seconds
    },
    browser,
    async signIn(twist = {}, { browser: agent = browser(), query = '' } = {}) {
      provider.twist = twist
      const before = new Set(await keysInStore())
      const callback = await reachCallback(agent, query)
      const cookie = await agent.jar.getCookieString(callback)
      const [requestCount, failureCount] = [hostile.requests.length, events('sign_in_failed').length]
      const answer = await agent.navigate(callback)
      return {
        browser: agent,
        answer,
        requests: hostile.requests.slice(requestCount),
        reason: events('sign_in_failed')[failureCount]?.reason,
        kept: (await keysInStore()).filter((key) => !before.has(key)),
        replay: () => sendPlain({ publicUrl }, callback, { headers: { accept: 'text/html', cookie } }),
      }
    },
    events,
    assertSilent: () => assert.doesNotMatch(logs.join(''), /canary/),
  }
}

/** @returns the address at which the provider sends the browser back */
async function reachCallback(browser: Browser, query: string): Promise<string> {
  const started = await browser.navigate(`/auth/start?return_to=/inbox&${query}`)
  assert.equal(started.status, 303, started.text)
  const authorized = await browser.navigate(String(started.location))
  assert.equal(authorized.status, 302, authorized.text)
  return String(authorized.location)
}

const pathsOf = (requests: readonly Received[]): string[] => requests.map(({ path }) => path)

/** Signed in by one token request; nothing was revoked, and no other endpoint was asked. */
export async function assertSignedIn(journey: Journey, outcome: Outcome): Promise<void> {
  const { browser, answer, requests, reason, kept } = outcome
  assert.equal(answer.headers.get('location'), '/inbox', String(reason))
  assert.equal(answer.status, 303)
  const { authenticated, user } = await browser.session()
  assert.equal(authenticated, true)
  assert.equal((user as { sub: unknown }).sub, 'ada')
  assert.ok(kept.some((key) => key.startsWith('session:')))
  assert.deepEqual(
    pathsOf(requests).filter((path) => path !== '/jwks'),
    ['/token'],
  )
  journey.assertSilent()
}

/**
 * Refused for this reason: no session, nothing kept, nobody else told, and the same callback does not work later.
 *
 * @param expected.error the `auth_error` that the page gets
 */
async function assertNobodySignedIn(
  journey: Journey,
  outcome: Outcome,
  { reason, error = 'sign_in_failed' }: { readonly reason: string; readonly error?: string },
): Promise<void> {
  const { browser, answer } = outcome
  assert.equal(outcome.reason, reason)
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), `/inbox?auth_error=${error}`)
  assert.deepEqual(await browser.session(), { authenticated: false })
  assert.equal(await browser.cookie('oten_session'), undefined)
  assert.deepEqual(outcome.kept, [])
  const sent = journey.provider.idp.requests.length
  assert.equal((await outcome.replay()).status, 400, 'the sign-in is used up')
  assert.equal(journey.provider.idp.requests.length, sent)
  journey.assertSilent()
}

/** The answer at the redirect URI is refused, and no request leaves for the provider. */
export async function assertAnswerRefused(
  journey: Journey,
  outcome: Outcome,
  expected: { readonly reason: string; readonly error?: string },
): Promise<void> {
  assert.deepEqual(pathsOf(outcome.requests), [])
  await assertNobodySignedIn(journey, outcome, expected)
}

/** The token response is refused: its tokens are revoked, and used for nothing. */
export async function assertTokensRefused(journey: Journey, outcome: Outcome, reason: string): Promise<void> {
  const { granted } = journey.provider
  const last = granted.at(-1)
  assert.deepEqual(
    pathsOf(outcome.requests)
      .filter((path) => path !== '/jwks')
      .toSorted(),
    ['/revoke', '/revoke', '/token'],
  )
  const revoked = outcome.requests.filter(({ path }) => path === '/revoke').map(({ body }) => body.get('token'))
  assert.deepEqual(revoked.toSorted(), [last?.access_token, last?.refresh_token])
  await assertNobodySignedIn(journey, outcome, { reason })
}
