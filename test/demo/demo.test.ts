import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readPorts, requireFreePorts } from '../../demo/ports.ts'
import { createBrowser } from '../support/browser.ts'

const START = fileURLToPath(new URL('../../demo/start.ts', import.meta.url))
const READY_MS = 20_000
const PHONE = 'a-phone-of-the-tests'

/** The first of six free ports in a row, below those that systems hand out for port 0. */
async function findFreePorts(): Promise<number> {
  for (;;) {
    const first = randomInt(10_000, 32_000)
    const taken = await requireFreePorts(readPorts({ DEMO_PORT: String(first) })).then(
      () => false,
      () => true,
    )
    if (!taken) return first
  }
}

interface Demo {
  readonly first: number
  readonly output: { out: string; err: string }
  /** Where the demo keeps its temporary files. */
  readonly folder: string
  readonly exited: Promise<{ code: number | null; signal: string | null }>
  url(offset: number, host?: string): string
  kill(signal: NodeJS.Signals): void
  ready(): Promise<void>
}

/** `npm run demo`, with this environment and no other. */
async function run(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Demo> {
  const first = Number(env.DEMO_PORT ?? (await findFreePorts()))
  const folder = mkdtempSync(join(tmpdir(), 'demo-test-'))
  const child = spawn(process.execPath, [START], {
    stdio: 'pipe',
    env: { PATH: process.env.PATH, TMPDIR: folder, DEMO_PORT: String(first), ...env },
  })
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  t.after(async () => {
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    first,
    output,
    folder,
    exited,
    url: (offset, host = '127.0.0.1') => `http://${host}:${first + offset}`,
    kill: (signal) => void child.kill(signal),
    async ready() {
      const deadline = Date.now() + READY_MS
      while (!output.out.includes('demo ready: ')) {
        assert.ok(Date.now() < deadline && child.exitCode === null, `the demo is not ready: ${output.err}`)
        await sleep(20)
      }
    },
  }
}

const requireAllFree = (first: number): Promise<void> => requireFreePorts(readPorts({ DEMO_PORT: String(first) }))

test('the demo names every URL, says when it is ready, and each URL answers', async (t) => {
  const demo = await run(t)
  await demo.ready()
  const { first } = demo
  const expected = [
    ['SPA', `http://localhost:${first}`],
    ['BFF', `http://localhost:${first + 1}`],
    ['BFF admin', `http://127.0.0.1:${first + 2}`],
    ['simulator', `http://127.0.0.1:${first + 3}`],
    ['API', `http://127.0.0.1:${first + 4}`],
    ['phone', `http://127.0.0.1:${first + 5}`],
  ]
  const lines = demo.output.out.split('\n').flatMap((line) => {
    const [, label, url] = /^ +(\S+(?: \S+)?) +(http:\S+)/.exec(line) ?? []
    return label === undefined || url === undefined ? [] : [[label, url]]
  })
  assert.deepEqual(lines, expected)
  assert.equal(demo.output.out.trimEnd().split('\n').at(-1), `demo ready: http://localhost:${first}`)
  assert.equal(demo.output.err, '')

  const answers = ['/', '/auth/session', '/health/ready', '/.well-known/openid-configuration', '/', '/']
  const statuses = await Promise.all(
    expected.map(async ([, url], index) => (await fetch(`${url}${answers[index]}`)).status),
  )
  assert.deepEqual(statuses, [200, 200, 200, 200, 401, 200])
})

test('the pages load nothing from elsewhere, and what they name is there', async (t) => {
  const demo = await run(t)
  await demo.ready()
  const pages = [
    [demo.url(0, 'localhost'), `'self' ${demo.url(1, 'localhost')}`],
    [demo.url(5), "'self'"],
  ] as const
  for (const [url, scripts] of pages) {
    const page = await fetch(url)
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.ok(policy.startsWith(`default-src 'none'; script-src ${scripts}; style-src 'self';`), policy)
    assert.doesNotMatch(policy, /unsafe|\*/)
    const html = await page.text()
    assert.doesNotMatch(html, /\{\{|<script>| style=| on[a-z]+="/)
    const files = [...html.matchAll(/(?:href|src)="(\/[^"]+\.[a-z]+)"/g)].map(([, path]) => path)
    assert.ok(files.length >= 4)
    for (const path of files) {
      const file = await fetch(url + path)
      assert.equal(file.status, 200, path)
      assert.doesNotMatch(await file.text(), /\{\{/)
    }
  }
  assert.equal((await fetch(`${demo.url(0, 'localhost')}/../package.json`)).status, 404)
  assert.equal((await fetch(demo.url(5), { method: 'POST' })).status, 405)
})

test('SIGINT ends everything with exit code 0: no process, port or file is left', async (t) => {
  const demo = await run(t)
  await demo.ready()
  assert.equal(readdirSync(demo.folder).length, 1)
  demo.kill('SIGINT')
  demo.kill('SIGINT') // As a terminal and npm both send it.
  assert.deepEqual(await demo.exited, { code: 0, signal: null })
  await requireAllFree(demo.first)
  assert.deepEqual(readdirSync(demo.folder), [])
  assert.equal(demo.output.err, '')
})

test('SIGTERM before it is ready ends it as well', async (t) => {
  const demo = await run(t)
  await sleep(400)
  demo.kill('SIGTERM')
  const { code, signal } = await demo.exited
  assert.ok(code === 0 || signal === 'SIGTERM') // The latter where it had not even begun.
  await requireAllFree(demo.first)
})

test('a demo that dies leaves no service behind', async (t) => {
  const demo = await run(t)
  await demo.ready()
  demo.kill('SIGKILL')
  await demo.exited // Its output closes only when the service that shares it has ended.
  await requireAllFree(demo.first)
  assert.deepEqual(readdirSync(demo.folder), [])
})

test('a taken port is named in one line, with the way out, and nothing is left running', async (t) => {
  const first = await findFreePorts()
  const other = createServer().listen(first + 3, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const demo = await run(t, { DEMO_PORT: String(first) })
  assert.deepEqual(await demo.exited, { code: 1, signal: null })
  assert.equal(demo.output.out, '')
  const line = `demo: port ${first + 3} (wanted by the simulator) is taken; choose other ports with DEMO_PORT, for example`
  assert.ok(demo.output.err.startsWith(line), demo.output.err)
  assert.equal(demo.output.err.trimEnd().split('\n').length, 1)
  other.close()
  await requireAllFree(first)
})

test('settings that cannot be meant are refused', async (t) => {
  for (const [name, value] of [
    ['DEMO_PORT', 'http'],
    ['DEMO_PORT', '65531'],
    ['DEMO_JAR_ALG', 'none'],
  ] as const) {
    const demo = await run(t, { [name]: value })
    assert.deepEqual(await demo.exited, { code: 1, signal: null })
    assert.match(demo.output.err, new RegExp(`^demo: ${name} must be .+\\n$`))
  }
})

for (const alg of ['EdDSA', 'HS256']) {
  test(`with ${alg}: a sign-in from the page's origin, an API call that carries no cookie, a sign-out`, async (t) => {
    const demo = await run(t, { DEMO_JAR_ALG: alg })
    await demo.ready()
    const spa = demo.url(0, 'localhost')
    const browser = createBrowser(demo.url(1, 'localhost'))
    const started = await browser.fetch(`/auth/start?return_to=${spa}/`, { origin: spa })
    assert.equal(started.headers.get('access-control-allow-origin'), spa)
    const url = String(started.json().authorization_url)
    const [header = ''] = (new URL(url).searchParams.get('request') ?? '').split('.')
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, alg)
    const back = await browser.navigate(await browser.passIdp(url, 'ada'))
    assert.equal(back.location, `${spa}/`)

    const { status, json } = await browser.fetch('/api/demo/hello?x=1', { origin: spa })
    assert.equal(status, 200)
    const answer = json()
    assert.equal(answer.sub, 'ada')
    assert.equal(answer.path, '/hello?x=1')
    assert.equal(answer.authorizationScheme, 'Bearer')
    const received = answer.receivedHeaders as string[]
    assert.ok(received.includes('authorization') && !received.includes('cookie'))

    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ return_to: `${spa}/` })
    const out = await browser.fetch('/auth/logout', { method: 'POST', origin: spa, headers, body })
    let next: string | null = String(out.json().logout_url)
    for (let hop = 0; hop < 5 && next !== null && next !== `${spa}/`; hop++)
      next = (await browser.navigate(next)).location
    assert.equal(next, `${spa}/`)
    assert.deepEqual(await browser.session(), { authenticated: false })
  })
}

for (const mode of ['cookie', 'token']) {
  test(`the phone signs in and keeps its session as ${mode}`, async (t) => {
    const demo = await run(t)
    await demo.ready()
    const verifier = 'v'.repeat(43)
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const browser = createBrowser(demo.url(1, 'localhost'))
    const query = `app=demo&code_challenge=${challenge}&code_challenge_method=S256&state=s1`
    const started = (await browser.fetch(`/auth/start?${query}`)).json()
    const back = await browser.navigate(await browser.passIdp(String(started.authorization_url), 'grace'))
    const link = new URL(String(back.location))
    assert.equal(link.origin + link.pathname, `${demo.url(5)}/signed-in`)
    assert.equal(link.searchParams.get('state'), 's1')
    assert.equal((await fetch(link)).status, 200)

    const call = (path: string, body?: object, token?: string, phone = PHONE): Promise<Response> =>
      fetch(`${demo.url(5)}/native${path}`, {
        headers: {
          'x-phone': phone,
          ...(body && { 'content-type': 'application/json' }),
          ...(token && { authorization: `Bearer ${token}` }),
        },
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      })
    const code = link.searchParams.get('code')
    const redeemed = await call('/auth/handoff', { code, code_verifier: verifier, session: mode })
    assert.equal(redeemed.status, 200)
    assert.deepEqual(redeemed.headers.getSetCookie(), []) // A cookie stays in the native client.
    const { session_token: token, user } = (await redeemed.json()) as { session_token?: string; user: { sub: string } }
    assert.equal(user.sub, 'grace')
    assert.equal(token !== undefined, mode === 'token')

    const hello = await call('/api/demo/hello', undefined, token)
    assert.equal(((await hello.json()) as { sub: string }).sub, 'grace')
    assert.equal((await call('/api/demo/hello', undefined, undefined, 'another-phone-of-the-tests')).status, 401)
    assert.equal((await call('/auth/logout', {}, token)).status, 200)
    assert.equal((await call('/api/demo/hello', undefined, token)).status, 401)
  })
}

test("the phone's HTTP client serves its own page alone, and calls what apps call", async (t) => {
  const demo = await run(t)
  await demo.ready()
  const url = `${demo.url(5)}/native/auth/session`
  assert.equal((await fetch(url)).status, 400)
  assert.equal((await fetch(url, { headers: { 'x-phone': PHONE } })).status, 200)
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'http://evil.example' } })
  assert.equal(preflight.headers.get('access-control-allow-origin'), null)
  for (const path of ['/auth/start', '/auth/callback', '//127.0.0.1:1/auth/session', '/health/ready']) {
    assert.equal((await fetch(`${demo.url(5)}/native${path}`, { headers: { 'x-phone': PHONE } })).status, 404, path)
  }
  // A name that someone pointed at this machine by DNS gets no further than the redirect.
  const rebound = await new Promise<number | undefined>((resolve, reject) => {
    const options = { headers: { host: `evil.example:${demo.first + 5}`, 'x-phone': PHONE } }
    request(url, options, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  assert.equal(rebound, 307)
})
