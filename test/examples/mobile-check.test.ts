import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { examine } from '../app/examine.ts'
import { startApi } from '../support/api.ts'
import { createWorld, getFreePort } from '../support/world.ts'
import { type Fault, startFaultyProxy, type Told } from './faulty-proxy.ts'

const CHECK = fileURLToPath(new URL('../app/check.ts', import.meta.url))

type Env = Readonly<Record<string, string>>

interface Opened {
  readonly url: string
  readonly deepLink: string
}

/** The service with an API behind it, and before it a proxy that lets everything through as it is, or does one thing wrong. */
async function open(t: TestContext, fault: Fault = (asked, pass) => pass(asked), env: Env = {}): Promise<Opened> {
  const api = await startApi(t)
  const port = await getFreePort()
  const url = `http://127.0.0.1:${port}`
  const deepLink = `${url}/signed-in`
  const { publicUrl } = await createWorld(t, {
    client: { redirectUris: [`${url}/auth/callback`], postLogoutRedirectUris: [`${url}/auth/logged-out`] },
    env: { PUBLIC_URL: url, APPS: `ios=${deepLink}`, API_ROUTES: `/api/orders=${api.url}`, ...env },
  })
  await startFaultyProxy(t, port, publicUrl, fault)
  return { url, deepLink }
}

/** @returns each line's name by its verdict */
async function check({ url, deepLink }: Opened, apiPath = '/api/orders') {
  const lines: Record<'ok' | 'warn' | 'FAIL', string[]> = { ok: [], warn: [], FAIL: [] }
  for await (const { status, name } of examine({ service: { url, app: 'ios', deepLink }, apiPath, login: 'ada' })) {
    lines[status].push(name)
  }
  return lines
}

const NAMES = [
  'service',
  ...['cookie', 'token'].flatMap((kind) =>
    ['sign-in', 'deep link', 'state', 'browser', 'handoff'].map((name) => `${kind}: ${name}`),
  ),
  ...['cookie', 'token'].flatMap((kind) => ['view', 'refresh', 'API'].map((name) => `${kind}: ${name}`)),
  'cookie as a token',
  'token as a cookie',
  'cookie: sign-out',
  'token: sign-out',
  'wrong verifier',
  'second redemption',
  'denial',
  'landing page',
]

test('check:app finds the service in order, in every point', async (t) => {
  assert.deepEqual(await check(await open(t)), { ok: NAMES, warn: [], FAIL: [] })
})

test('check:app warns where there is no refresh token', async (t) => {
  const lines = await check(await open(t, undefined, { OTEN_SCOPE: 'openid' }))
  assert.deepEqual([lines.warn, lines.FAIL], [['cookie: refresh', 'token: refresh'], []])
})

test('check:app leaves out the landing page of a link that lies elsewhere', async (t) => {
  const opened = await open(t, undefined, { APPS: 'ios=com.example.app:/signed-in' })
  const lines = await check({ ...opened, deepLink: 'com.example.app:/signed-in' })
  assert.deepEqual(lines, { ok: NAMES.slice(0, -1), warn: [], FAIL: [] })
})

const isHandoff = ({ path }: { readonly path: string }): boolean => path === '/auth/handoff'
const isCallback = ({ path }: { readonly path: string }): boolean => path.startsWith('/auth/callback')

const json = (status: number, body: unknown): Told => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})
const refusal = (status: number, error: string): Told => json(status, { error, error_description: 'x', error_id: 'x' })

const withLocation = (told: Told, change: (location: string) => string): Told => ({
  ...told,
  headers: { ...told.headers, location: change(String(told.headers.location)) },
})

/** @returns how often a code has come */
function createCount(): (body: string) => number {
  const seen = new Map<string, number>()
  return (body) => {
    const { code } = JSON.parse(body) as { code: string }
    const count = (seen.get(code) ?? 0) + 1
    seen.set(code, count)
    return count
  }
}

const BROKEN: readonly (readonly [what: string, fails: readonly string[], create: () => Fault])[] = [
  [
    'a state that is not the one of the app',
    ['cookie: state', 'cookie: handoff', 'token: state', 'token: handoff'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      return isCallback(asked) ? withLocation(told, (location) => location.replace(/state=[^&]+/, 'state=other')) : told
    },
  ],
  [
    'a deep link with the token in it',
    ['cookie: deep link', 'token: deep link'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      return isCallback(asked) ? withLocation(told, (location) => `${location}&access_token=x`) : told
    },
  ],
  [
    'a session cookie for the system browser',
    ['cookie: browser', 'token: browser'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      if (!isCallback(asked)) return told
      return { ...told, headers: { ...told.headers, 'set-cookie': ['oten_session=x; Path=/; HttpOnly'] } }
    },
  ],
  [
    'parameters beside the signed request object',
    ['cookie: sign-in', 'token: sign-in'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      return asked.path.startsWith('/auth/start') ? withLocation(told, (location) => `${location}&scope=openid`) : told
    },
  ],
  [
    'a token in the answer beside the cookie',
    ['cookie: handoff'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      if (!isHandoff(asked) || told.status !== 200) return told
      return {
        ...told,
        body: told.body.replace(/\}$/, told.body.includes('session_token') ? '}' : ',"session_token":"x"}'),
      }
    },
  ],
  [
    'a cookie that script can read',
    ['cookie: handoff'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      const lines = [told.headers['set-cookie'] ?? []].flat().map((line) => line.replace('; HttpOnly', ''))
      return isHandoff(asked) && lines.length > 0
        ? { ...told, headers: { ...told.headers, 'set-cookie': lines } }
        : told
    },
  ],
  [
    'a cookie beside the token',
    ['token: handoff'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      if (!isHandoff(asked) || !told.body.includes('session_token')) return told
      return { ...told, headers: { ...told.headers, 'set-cookie': ['oten_session=x; Path=/; HttpOnly'] } }
    },
  ],
  [
    'a wrong verifier that leaves the code as it was',
    ['wrong verifier'],
    () => {
      const challenges = new Set<string>()
      return async (asked, pass) => {
        const query = new URL(asked.path, 'http://localhost').searchParams
        challenges.add(query.get('code_challenge') ?? '')
        if (!isHandoff(asked)) return pass(asked)
        const { code_verifier: verifier } = JSON.parse(asked.body) as { code_verifier: string }
        const challenge = hash('sha256', verifier, 'base64url')
        return challenges.has(challenge) ? pass(asked) : refusal(400, 'invalid_grant')
      }
    },
  ],
  [
    'a second redemption that ends nothing',
    ['second redemption'],
    () => {
      const count = createCount()
      return async (asked, pass) =>
        isHandoff(asked) && count(asked.body) > 1 ? refusal(400, 'invalid_grant') : pass(asked)
    },
  ],
  [
    'a denial that comes back without a word',
    ['denial'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      return isCallback(asked) ? withLocation(told, (location) => location.replace('error=access_denied&', '')) : told
    },
  ],
  [
    'a token that is taken for a cookie',
    ['token as a cookie'],
    () => async (asked, pass) => {
      const { cookie = '', ...headers } = asked.headers
      const value = cookie.split('=')[1] ?? ''
      const told = await pass(asked)
      if (asked.path !== '/auth/session' || value === '' || told.body.includes('true')) return told
      return pass({ ...asked, headers: { ...headers, authorization: `Bearer ${value}` } })
    },
  ],
  [
    'a cookie that is taken for a token',
    ['cookie as a token'],
    () => async (asked, pass) => {
      const { authorization = '', ...headers } = asked.headers
      const told = await pass(asked)
      if (asked.path !== '/auth/session' || authorization === '' || told.body.includes('true')) return told
      return pass({ ...asked, headers: { ...headers, cookie: `oten_session=${authorization.split(' ')[1]}` } })
    },
  ],
  [
    'a sign-out that ends nothing',
    ['cookie: sign-out', 'token: sign-out'],
    () => async (asked, pass) => (asked.path === '/auth/logout' ? json(200, { logout_url: null }) : pass(asked)),
  ],
  [
    'a refresh that fails',
    ['cookie: refresh', 'token: refresh'],
    () => async (asked, pass) => {
      const told = await pass(asked)
      return asked.path === '/auth/refresh' && told.status === 200 ? refusal(503, 'idp_unavailable') : told
    },
  ],
  [
    'a landing page that nobody shows',
    ['landing page'],
    () => async (asked, pass) => (asked.path.startsWith('/signed-in') ? refusal(404, 'not_found') : pass(asked)),
  ],
]

for (const [what, fails, create] of BROKEN) {
  test(`check:app finds ${what}`, async (t) => {
    const lines = await check(await open(t, create()))
    assert.deepEqual(lines.FAIL, fails)
  })
}

test('check:app finds an API that is not there', async (t) => {
  assert.deepEqual((await check(await open(t), '/api/none')).FAIL, ['cookie: API', 'token: API'])
})

test('check:app stops where there is no service', async () => {
  const url = `http://127.0.0.1:${await getFreePort()}`
  const lines = await check({ url, deepLink: 'com.example.app:/signed-in' })
  assert.deepEqual(lines, { ok: [], warn: [], FAIL: ['service'] })
})

interface Ran {
  readonly code: number
  readonly lines: readonly string[]
}

const run = (args: readonly string[], env: Env = {}): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env }, timeout: 60_000 }
    execFile(process.execPath, [CHECK, ...args], options, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, lines: stdout.split('\n').filter((line) => line !== '') })
    })
  })

test('npm run check:app prints a line for each check, and ends with 0 or 1', async (t) => {
  const { url, deepLink } = await open(t)
  const good = await run(['--url', url, '--app', 'ios', '--deep-link', deepLink, '--api', '/api/orders'])
  assert.equal(good.code, 0)
  assert.equal(good.lines.length, NAMES.length)
  for (const [index, name] of NAMES.entries()) assert.ok(good.lines[index]?.startsWith(`ok    ${name}: `), name)

  const env = { APP_CHECK_URL: url, APP_CHECK_APP: 'unknown', APP_CHECK_DEEP_LINK: deepLink }
  const bad = await run([], env)
  assert.equal(bad.code, 1)
  assert.match(bad.lines[1] ?? '', /^FAIL {2}cookie: sign-in: .* -> name the app in APPS/)
})

for (const args of [
  ['--url', 'https://app.example.com'],
  ['--url', 'nonsense', '--app', 'a', '--deep-link', 'b:/'],
  ['--x'],
]) {
  test(`npm run check:app says how it is called, to ${args.join(' ')}`, async () => {
    const { code, lines } = await run(args)
    assert.deepEqual([code, lines], [2, []])
  })
}
