import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createKey, type HostileIdp, type Received, signJws, startHostileIdp } from '../idp/hostile-idp.ts'
import type { Answer, Browser } from '../support/browser.ts'
import { ADMIN_TOKEN, createStage, IDP_TEXT, LEVELS, type Stage } from '../support/canary-stage.ts'

type Body = Record<string, unknown>
type TokenAnswer = (
  good: Body,
  received: Received,
  response: ServerResponse,
) => { status?: number; headers?: Record<string, string>; body: unknown } | undefined

/** A stage whose IdP is hostile, and repeats what it was told in whatever it says. */
interface HostileStage extends Stage {
  readonly hostile: HostileIdp
  /** Starts a sign-in, without the IdP's page. @returns the callback that a good IdP would send the browser to */
  begin(browser: Browser): Promise<string>
  answerTokens(answer: TokenAnswer): void
  /** And an hour: what was fetched before is too old to be used. */
  letADayPass(): void
}

const DISCOVERY = '/.well-known/openid-configuration'
const DAY_S = 25 * 3600

const random = (kind: string): string => `canary-${kind}-${randomBytes(24).toString('base64url')}`
const key = createKey('idp-1')
const otherKey = createKey('idp-1')

async function createHostileStage(t: TestContext, level: string): Promise<HostileStage> {
  const hostile = await startHostileIdp(t)
  hostile.keys = [key.jwk]
  const stage = await createStage(t, level, { env: { OTEN_ISSUER: hostile.issuer } })
  const { canaries, world } = stage
  let nonce = ''
  let aheadS = 0

  const grant = (): Body => {
    const [accessToken, refreshToken, now] = [
      random('access'),
      random('refresh'),
      Math.floor(Date.now() / 1000) + aheadS,
    ]
    canaries.mark('access-token', accessToken)
    canaries.mark('refresh-token', refreshToken)
    const claims = { iss: hostile.issuer, aud: 'bff', sub: 'ada', iat: now, exp: now + 300, nonce, sid: random('sid') }
    const idToken = signJws(claims, key)
    canaries.markJws('id-token', idToken)
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: 900,
      id_token: idToken,
    }
  }
  const answerTokens = (answer: TokenAnswer): void =>
    hostile.on('/token', (received, response) => answer(grant(), received, response))
  hostile.on('/revoke', (received) => ({ status: 500, body: repeat(received) }))
  answerTokens((body) => ({ body }))

  const begin = async (browser: Browser): Promise<string> => {
    const request = new URL(await stage.start(browser)).searchParams.get('request') ?? ''
    const { state, nonce: asked } = JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString()) as Body
    nonce = String(asked)
    const code = random('code')
    canaries.mark('code', code)
    return `/auth/callback?${new URLSearchParams({ code, state: String(state), iss: hostile.issuer })}`
  }
  const letADayPass = (): void => {
    world.advance(DAY_S)
    aheadS += DAY_S
  }
  return { ...stage, hostile, begin, answerTokens, letADayPass }
}

/** All that the IdP was shown, in its own words. */
const repeat = ({ body, headers, query }: Received): string => `${IDP_TEXT} ${body} ${query} ${JSON.stringify(headers)}`

const claimsOf = ({ id_token: idToken }: Body): Body =>
  JSON.parse(Buffer.from(String(idToken).split('.')[1] ?? '', 'base64url').toString()) as Body
const resign = (good: Body, changes: Body, header?: Body, by = key): { body: Body } => ({
  body: { ...good, id_token: signJws({ ...claimsOf(good), ...changes }, by, header) },
})
const sendRaw = (response: ServerResponse, octets: string): undefined => {
  response.socket?.end(octets)
}

/** What a token endpoint may answer instead of tokens. */
const BAD_TOKEN_ANSWERS: Readonly<Record<string, TokenAnswer>> = {
  'a known error': (_good, received) => ({
    status: 400,
    body: { error: 'invalid_grant', error_description: repeat(received), error_uri: repeat(received) },
  }),
  'an unknown error': (_good, received) => ({ status: 400, body: { error: repeat(received) } }),
  'a refused client': (_good, received) => ({
    status: 401,
    headers: { 'www-authenticate': `Basic realm="${received.body}"` },
    body: { error: 'invalid_client', error_description: repeat(received) },
  }),
  'not now': (_good, received) => ({
    status: 503,
    headers: { 'retry-after': String(received.body) },
    body: repeat(received),
  }),
  'too often': (_good, received) => ({ status: 429, body: { error: repeat(received) } }),
  'a redirect': (_good, { body }) => ({
    status: 302,
    headers: { location: `https://elsewhere.example/?${body}` },
    body: '',
  }),
  'a page': (good, received) => ({
    headers: { 'content-type': 'text/html' },
    body: `<p>${repeat(received)} ${JSON.stringify(good)}`,
  }),
  'half of it': (good) => ({ body: JSON.stringify(good).slice(0, -40) }),
  'another document': (good, received) => ({ body: [good, repeat(received)] }),
  'another type of token': (good, received) => ({ body: { ...good, token_type: repeat(received) } }),
  'a token that is no header': (good) => ({ body: { ...good, access_token: `${good.access_token}\r\nx-y: 1` } }),
  'a scope and a life that are none': (good, received) => ({
    body: { ...good, expires_in: repeat(received), scope: [good] },
  }),
  'no ID token, or none that is text': (good) => ({ body: { ...good, id_token: { good } } }),
  'an ID token that is none': (good, received) => ({ body: { ...good, id_token: repeat(received) } }),
  'too much': (good) => ({ body: { ...good, more: String(good.access_token).repeat(30_000) } }),
  'a reset': (_good, _received, response) => void response.socket?.resetAndDestroy(),
  'no HTTP': (_good, received, response) => sendRaw(response, `${repeat(received)}\r\n\r\n`),
  'half of HTTP': (good, _received, response) =>
    sendRaw(response, `HTTP/1.1 200 OK\r\nx ${good.access_token}: 1\r\n\r\n`),
  'a forged ID token': (good) => resign(good, {}, undefined, otherKey),
  'another algorithm': (good) => resign(good, {}, { alg: IDP_TEXT, kid: IDP_TEXT }),
  'a header that lists what must be understood': (good) =>
    resign(good, {}, { alg: 'EdDSA', kid: 'idp-1', crit: [IDP_TEXT] }),
  'a key that nobody knows': (good) => resign(good, {}, { alg: 'EdDSA', kid: IDP_TEXT }),
  'another nonce': (good) => resign(good, { nonce: IDP_TEXT }),
  'another audience': (good) => resign(good, { aud: ['bff', IDP_TEXT] }),
  'another issuer': (good) => resign(good, { iss: IDP_TEXT }),
  'another user': (good) => resign(good, { sub: [IDP_TEXT] }),
  'another time': (good) => resign(good, { exp: IDP_TEXT }),
  'another access token': (good) => resign(good, { at_hash: IDP_TEXT }),
}

async function failSignIns(stage: HostileStage): Promise<void> {
  for (const [what, answer] of Object.entries(BAD_TOKEN_ANSWERS)) {
    const browser = stage.browser()
    const callback = await stage.begin(browser)
    stage.answerTokens(answer)
    const answered = await browser.navigate(callback)
    assert.match(String(answered.location), /auth_error=(sign_in_failed|idp_unavailable)/, what)
    assert.equal((await browser.navigate(callback)).status, 400, what)
    stage.answerTokens((body) => ({ body }))
  }
}

async function failCallbacks(stage: HostileStage): Promise<void> {
  for (const changes of [
    { error: 'access_denied', error_description: IDP_TEXT, error_uri: IDP_TEXT },
    { error: IDP_TEXT },
    { error: 'server_error', error_description: IDP_TEXT },
    { iss: IDP_TEXT },
    { id_token: IDP_TEXT },
    { access_token: IDP_TEXT, session_state: IDP_TEXT },
    { response: IDP_TEXT },
    { code: IDP_TEXT.repeat(200) },
  ]) {
    const browser = stage.browser()
    const url = new URL(await stage.begin(browser), stage.world.publicUrl)
    if ('error' in changes) url.searchParams.delete('code')
    for (const [name, value] of Object.entries(changes)) url.searchParams.set(name, value)
    const answered = await browser.navigate(url.href)
    assert.match(`${answered.status} ${answered.location}`, /^303 .*auth_error=/)
  }
}

/** Each with a session of its own: after a failure one is left in peace for a while. */
async function failRefreshes(stage: HostileStage): Promise<void> {
  for (const [what, answer] of Object.entries(BAD_TOKEN_ANSWERS)) {
    const browser = stage.browser()
    await browser.navigate(await stage.begin(browser))
    stage.answerTokens(answer)
    const { status } = await browser.fetch('/auth/refresh', { method: 'POST' })
    assert.ok([200, 401, 503].includes(status), `${what}: ${status}`)
    const { status: apiStatus } = await browser.fetch('/api/x/after')
    assert.ok([200, 401].includes(apiStatus), `${what}: ${apiStatus}`)
    stage.answerTokens((body) => ({ body }))
  }
}

/** Metadata and keys that cannot be had, or not be used, once the last good copy is too old. */
async function failDiscovery(stage: HostileStage): Promise<void> {
  const { hostile, witness } = stage
  const good = { ...hostile.metadata }
  const documents: readonly unknown[] = [
    { ...good, token_endpoint: `https://ada:${IDP_TEXT}@idp.example/` },
    { ...good, code_challenge_methods_supported: IDP_TEXT },
    { ...good, id_token_signing_alg_values_supported: [IDP_TEXT] },
    { ...good, issuer: { IDP_TEXT } },
    `<p>${IDP_TEXT}`,
    `{"issuer":"${IDP_TEXT}`,
  ]
  for (const body of documents) {
    hostile.on(DISCOVERY, () => ({ body }))
    stage.letADayPass()
    assert.equal((await stage.browser().navigate('/auth/start')).status, 503)
    await witness.look()
  }
  hostile.on(DISCOVERY, () => ({ body: { ...good, revocation_endpoint: IDP_TEXT } }))
  for (const body of [IDP_TEXT, { keys: IDP_TEXT }, { keys: [{ ...key.jwk, x: IDP_TEXT }, { kid: IDP_TEXT }] }]) {
    hostile.on('/jwks', () => ({ body }))
    stage.letADayPass()
    const browser = stage.browser()
    assert.match(String((await browser.navigate(await stage.begin(browser))).location), /auth_error=/)
  }
  hostile.on('/jwks', () => ({ body: { keys: hostile.keys } }))
  stage.letADayPass()
}

/** Everything is asked once while the store is away. */
async function loseStore(stage: HostileStage): Promise<void> {
  const { world, witness, redis } = stage
  const browser = stage.browser()
  await browser.navigate(await stage.begin(browser))
  const callback = await stage.begin(browser)
  const headers = { cookie: await browser.jar.getCookieString(world.publicUrl), origin: world.publicUrl }
  const json = { 'content-type': 'application/json' }
  await redis.stop()
  const get = (path: string): Promise<Answer> => witness.send(path, { headers })
  const post = (path: string): Promise<Answer> => witness.send(path, { method: 'POST', headers })
  const answers = await Promise.all([
    ...['/auth/session', '/auth/sessions', '/auth/events', '/auth/start', '/api/x', callback].map(get),
    ...['/auth/logged-out?state=x', '/auth/logout/continue?ticket=x'].map(get),
    ...['/auth/refresh', '/auth/logout'].map(post),
    witness.send('/auth/handoff', { method: 'POST', headers: json, body: '{"code":"x","code_verifier":"x"}' }),
    witness.ask('/auth/verify', { headers }),
    witness.ask('/admin/sessions/end', {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${ADMIN_TOKEN}` },
      body: '{"all":true}',
    }),
  ])
  for (const { status, text } of answers) assert.equal(status, 503, text)
  await witness.look()
}

test('LG-01: at every level nothing that fails, at the IdP or the store, shows a secret, though the IdP repeats all it is told', {
  concurrency: LEVELS.length,
}, async (t) => {
  await Promise.all(
    LEVELS.map((level) =>
      t.test(level, async (inner) => {
        const stage = await createHostileStage(inner, level)
        for (const journey of [failSignIns, failCallbacks, failRefreshes, failDiscovery, loseStore]) {
          await journey(stage)
          await stage.witness.look()
        }
        stage.witness.assertClean()
        assert.equal(stage.world.logs.length > 0, !['fatal', 'silent'].includes(level))
        if (level === 'warn') {
          const failed = stage.world.events('sign_in_failed')
          assert.ok(failed.length >= Object.keys(BAD_TOKEN_ANSWERS).length)
          for (const { reason } of failed) assert.match(String(reason), /[a-z]{3}/, 'LG-03: it says why')
        }
      }),
    ),
  )
})
