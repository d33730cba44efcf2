import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { Client, type Dispatcher } from 'undici'
import { createHandoffs } from '../../src/login/handoff.ts'
import { parseReturnTo } from '../../src/login/return-to.ts'
import { buildService, newSession, PUBLIC_URL, type ServiceOptions } from '../plugins/build-service.ts'
import { applyEdits, edits, hostileJson, hostileText, likeObject, likeText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

interface Answer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData['headers']
  readonly text: string
}

interface Ask {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: Buffer | string
}

/** The whole service on a real port. Of every answer it is held that it is no 500, and a refusal of the one shape. */
async function listen(t: TestContext, options: ServiceOptions = {}) {
  const service = await buildService(t, { ...options, env: { RATE_LIMIT_PER_MINUTE: '0', ...options.env } })
  const connect = async (app: typeof service.app) => {
    const client = new Client(await app.listen({ host: '127.0.0.1', port: 0 }))
    t.after(() => client.close())
    return async ({ method = 'POST', path, headers = {}, body }: Ask): Promise<Answer> => {
      const answer = await client.request({ method, path, headers, body: body ?? null })
      const text = await answer.body.text()
      requireShape(answer.statusCode, text)
      return { status: answer.statusCode, headers: answer.headers, text }
    }
  }
  return { service, ask: await connect(service.app), askAdmin: await connect(service.admin) }
}

/** Contract §8: the code, its fixed sentence and the id in the log; no word of the request. */
function requireShape(status: number, text: string): void {
  assert.ok(status < 500, text)
  if (status < 400) return
  const { error, error_description: description, error_id: id, ...others } = JSON.parse(text) as Record<string, unknown>
  assert.match(`${error}`, /^[a-z_]+$/)
  assert.match(`${description}`, /^(?:[A-Z][A-Za-z ,-]+\. ?)+$/)
  assert.match(`${id}`, /^[a-z0-9]+-[a-z0-9]+$/)
  assert.deepEqual(others, {})
  assert.doesNotMatch(text, /canary/)
}

const readJson = (octets: Buffer): unknown => {
  try {
    return JSON.parse(octets.toString())
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const rawJson = fc.constantFrom(
  '',
  ' ',
  'null',
  '[]',
  '{',
  '"x"',
  '{"a":1,}',
  '[[[[[[',
  '{"canary":1}',
  `${'['.repeat(30_000)}`,
  `{"code":"${'x'.repeat(60_000)}"}`,
  `"${'x'.repeat(70_000)}"`,
)
const jsonType = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-16',
    'application/json;',
    'Application/JSON',
    'text/json',
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    '*/*',
    'canary',
    '',
    'application/json, text/plain',
  ),
)

const VERIFIER = 'a-verifier-of-an-app-that-has-43-characters'

test('MH-05, MH-06: of all bodies of a handoff exactly the right code with its verifier gives a session', async (t) => {
  const { service, ask } = await listen(t)
  const { store, seal, time } = service
  const handoffs = createHandoffs({ store, seal, now: () => time.now })
  const { kind: _kind, userAgent: _agent, ...session } = newSession(time.now)
  const codeChallenge = hash('sha256', VERIFIER, 'base64url')
  const members = likeObject(
    { code: '<code>', code_verifier: VERIFIER, session: 'token' },
    fc.oneof(fc.constantFrom('cookie', 'token', '<code>', `${VERIFIER}x`), hostileJson),
  )
  const body = fc.oneof({ weight: 6, arbitrary: members.map((value) => JSON.stringify(value)) }, rawJson)
  const redeemed = { count: 0 }
  await hold(
    t,
    fc.asyncProperty(
      body,
      fc.option(edits(1), { nil: undefined, freq: 3 }),
      jsonType,
      async (written, changes, type) => {
        const code = await handoffs.create({ codeChallenge, session, startedAtUs: 1 })
        const good = Buffer.from(written.replace('<code>', code))
        const octets = changes === undefined ? good : applyEdits(good, changes)
        const { status, text } = await ask({ path: '/auth/handoff', headers: { 'content-type': type }, body: octets })
        const value = readJson(octets)
        const {
          code: shown,
          code_verifier: verifier,
          session: wanted = 'cookie',
          ...others
        } = isObject(value) ? value : {}
        const isRight =
          shown === code &&
          verifier === VERIFIER &&
          ['cookie', 'token'].some((name) => name === wanted) &&
          Object.keys(others).length === 0
        assert.ok(status !== 200 || isRight, text)
        if (isRight && /^application\/json$/i.test(type)) assert.equal(status, 200)
        redeemed.count += status === 200 ? 1 : 0
      },
    ),
    { share: 0.5 },
  )
  assert.ok(redeemed.count > 0)
})

/** What a body of a sign-out names, as another reader has it; undefined for one that is to be refused. */
function readFields(text: string, type: string): readonly (readonly [string, unknown])[] | undefined {
  if (/^application\/x-www-form-urlencoded/i.test(type)) {
    const fields = [...new URLSearchParams(text)]
    return new Set(fields.map(([name]) => name)).size === fields.length ? fields : undefined
  }
  const value = text === '' ? null : readJson(Buffer.from(text))
  return value === null ? [] : isObject(value) ? Object.entries(value) : undefined
}

test('LO-05: a body of a sign-out that is refused ends nothing, and one that is not has no target but an allowed one', async (t) => {
  const { service, ask } = await listen(t)
  const target = fc.oneof(fc.constantFrom('/bye', '/', 'https://app.example.com/x'), hostileText)
  const form = fc.oneof(
    fc
      .array(fc.tuple(fc.constantFrom('return_to', 'a', 'return%5Fto'), target), { maxLength: 3 })
      .map((pairs) => new URLSearchParams(pairs).toString()),
    madeOf(['return_to', '=', '&', '%2f', '/', '%', '+', 'canary', '&return_to=/a', 'return_to=/'], 12),
  )
  const json = fc.oneof(
    likeObject({ return_to: '/bye' }, fc.oneof(target, hostileJson)).map((value) => JSON.stringify(value)),
    rawJson,
  )
  const body = fc.oneof(fc.tuple(form, fc.constant('application/x-www-form-urlencoded')), fc.tuple(json, jsonType))
  await hold(
    t,
    fc.asyncProperty(body, async ([text, type]) => {
      const cookie = `${service.cookieName}=${await service.plant()}`
      const answer = await ask({
        path: '/auth/logout',
        headers: { cookie, origin: PUBLIC_URL, 'content-type': type, 'sec-fetch-mode': 'navigate' },
        body: Buffer.from(text),
      })
      const { text: session } = await ask({ method: 'GET', path: '/auth/session', headers: { cookie } })
      const isOver = answer.status === 303
      assert.ok(isOver || answer.status >= 400, String(answer.status))
      assert.equal(session.startsWith('{"authenticated":true'), !isOver, text)
      assert.equal(answer.headers['set-cookie'] === undefined, !isOver)
      if (!isOver) return
      assert.ok(String(answer.headers.location).startsWith(`${PUBLIC_URL}/auth/logout/continue?ticket=`))
      for (const [name, value] of readFields(text, type) ?? assert.fail('taken, and not to be read')) {
        assert.equal(name, 'return_to')
        parseReturnTo(String(value), service.config) // Refuses what is not allowed.
      }
    }),
    { examples: [[['return_to=/&return_to=/a', 'application/x-www-form-urlencoded']]] },
  )
})

test('BL-01, BL-09: a back-channel logout with anything but a token of the IdP is 400, whatever its type, and ends nothing', async (t) => {
  const { service, ask } = await listen(t, {
    env: { BACKCHANNEL_LOGOUT: 'on' },
    idp: { jwks: { findKey: async () => undefined } },
  })
  const cookie = `${service.cookieName}=${await service.plant()}`
  const token = fc.oneof(hostileText, likeText('eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.AAAA'))
  const form = fc.oneof(
    token.map((text) => new URLSearchParams({ logout_token: text }).toString()),
    madeOf(['logout_token', '=', '&', 'a.b.c', 'canary', '%', '%00'], 12),
    rawJson,
  )
  await hold(
    t,
    fc.asyncProperty(form, fc.oneof(fc.constant('application/x-www-form-urlencoded'), jsonType), async (text, type) => {
      const { status } = await ask({
        path: '/auth/backchannel-logout',
        headers: { 'content-type': type },
        body: Buffer.from(text),
      })
      assert.equal(status, 400, text)
    }),
    { share: 0.5 },
  )
  assert.match(
    (await ask({ method: 'GET', path: '/auth/session', headers: { cookie } })).text,
    /^\{"authenticated":true/,
  )
})

test('SE-05: only touch=true, once and so spelt, slides the idle limit; any other value is refused', async (t) => {
  const { service, ask } = await listen(t)
  const value = fc.oneof(
    fc.constantFrom('true', 'false', 'TRUE', ' true', 'true ', '1', '', 'true&touch=true', 'true#', 'false&x=true'),
    hostileText.map((text) => encodeURIComponent(text.toWellFormed())),
  )
  const cookie = `${service.cookieName}=${await service.plant()}`
  await hold(
    t,
    fc.asyncProperty(value, fc.constantFrom('touch', 'Touch', 'touch%00', '%74ouch', 'touch[]'), async (text, name) => {
      service.time.now += 1
      const query = `${name}=${text.replaceAll(' ', '+')}`
      const { status, text: answer } = await ask({
        method: 'GET',
        path: `/auth/session?${query}`.slice(0, 8000),
        headers: { cookie },
      })
      const sent = new URLSearchParams(query.split('#')[0]).getAll('touch')
      const [touch] = sent
      if (status === 200)
        assert.ok(sent.length === 0 || (sent.length === 1 && ['true', 'false'].includes(String(touch))), query)
      const { idle_expires_in: idleS } =
        status === 200 ? (JSON.parse(answer) as { idle_expires_in: number }) : { idle_expires_in: 0 }
      assert.equal(idleS === 3600, status === 200 && touch === 'true', `${query}: ${idleS}`)
      await ask({ method: 'GET', path: '/auth/session?touch=true', headers: { cookie } })
    }),
    { share: 0.5 },
  )
})

test('SC-14: of all bodies of the admin API exactly one user, one session of the IdP or all ends anything, and with the token alone', async (t) => {
  const ADMIN_TOKEN = 'an-admin-token-of-more-than-32-octets-in-all'
  const { service, askAdmin } = await listen(t, { env: { ADMIN_TOKEN } })
  const body = fc.oneof(
    likeObject({ sub: 'nobody' }, hostileJson),
    fc.constantFrom<unknown>(
      { all: true },
      { all: 1 },
      { sub: 'ada', all: true },
      { sid: 'idp-session-1' },
      { sub: ['ada'] },
      [{ sub: 'ada' }],
    ),
    hostileJson,
  )
  const authorization = fc.oneof(
    { weight: 3, arbitrary: fc.constant(`Bearer ${ADMIN_TOKEN}`) },
    likeText(`Bearer ${ADMIN_TOKEN}`, 1).filter((text) => /^[ -~]*$/.test(text)),
    fc.constantFrom('', 'Bearer', 'Bearer  ', ADMIN_TOKEN),
  )
  await hold(
    t,
    fc.asyncProperty(body, authorization, async (value, sent) => {
      await service.plant()
      const text = JSON.stringify(value)
      const { status, text: answer } = await askAdmin({
        path: '/admin/sessions/end',
        headers: { authorization: sent, 'content-type': 'application/json' },
        body: text,
      })
      const isToken = /^bearer /i.test(sent) && sent.slice('bearer '.length) === ADMIN_TOKEN
      const parsed = readJson(Buffer.from(text))
      const [[name, of] = [], ...others] = isObject(parsed) ? Object.entries(parsed) : []
      const isName = typeof of === 'string' && of !== '' && [...of].length <= 255
      const isTarget =
        others.length === 0 && ((['sub', 'sid'].includes(String(name)) && isName) || (name === 'all' && of === true))
      if (status === 200) assert.ok(isToken && isTarget, answer)
      else assert.ok(!(isToken && isTarget), `${status} for ${text}`)
    }),
    { share: 0.5 },
  )
})
