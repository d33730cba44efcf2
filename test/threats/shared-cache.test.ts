import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { listen } from '../routes/build-proxy.ts'
import type { Answer, Browser } from '../support/browser.ts'
import { createBrowser } from '../support/browser.ts'
import { kill } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { createWorld, getFreePort } from '../support/world.ts'

/** A cache before the service that keys by the address alone, keeps what it may, and by itself whatever says nothing. */
const writeConfig = (folder: string, port: number, upstream: string): string => `
daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  proxy_cache_path ${folder}/cache keys_zone=all:1m;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${upstream};
      proxy_set_header Host $http_host;
      proxy_cache all;
      proxy_cache_key $request_method$request_uri;
      proxy_cache_valid any 10m;
      add_header X-Cache $upstream_cache_status always;
    }
  }
}`

/** An API that says who called, by the token, and lets itself be cached in the way that the path names. */
const answerWho = (incoming: IncomingMessage, answer: ServerResponse): void => {
  const [, cacheControl] = /\/cache\/([^/?.]*)/.exec(incoming.url ?? '') ?? []
  if (cacheControl) answer.setHeader('cache-control', decodeURIComponent(cacheControl))
  answer.end(JSON.stringify({ token: incoming.headers.authorization }))
}

async function openBehindCache(t: TestContext) {
  const port = await getFreePort()
  const url = `http://localhost:${port}`
  const api = await listen(t, answerWho)
  const world = await createWorld(t, {
    client: { redirectUris: [`${url}/auth/callback`], postLogoutRedirectUris: [`${url}/auth/logged-out`] },
    env: { PUBLIC_URL: url, API_ROUTES: `/api/x=${api.url}`, RATE_LIMIT_PER_MINUTE: '0' },
  })
  const folder = mkdtempSync(join(tmpdir(), 'cache-test-'))
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, writeConfig(folder, port, world.publicUrl.replace('localhost', '127.0.0.1')))
  const PATH = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)
  const child = spawn('nginx', ['-p', folder, '-c', config, '-e', 'stderr'], { env: { PATH }, stdio: 'inherit' })
  t.after(async () => {
    await kill(child)
    rmSync(folder, { recursive: true, force: true })
  })
  await until(async () => (await fetch(`${url}/auth/session`)).ok)
  const signIn = async (login: string): Promise<Browser> => {
    const browser = createBrowser(url)
    assert.equal((await browser.signIn(login)).status, 303)
    return browser
  }
  return { url, world, signIn }
}

const wasCached = ({ headers }: Answer): boolean => headers.get('x-cache') === 'HIT'

/** Addresses that a cache may take for a file, and some router for one of ours. */
const DECEPTIONS = [
  '/x.css',
  '.css',
  ';x.css',
  '%2fx.css',
  '%3fx.css',
  '%23x.css',
  '%0ax.css',
  '/..%2fx.css',
  '//x.css',
  '?x.css',
]

test('behind a cache that keys by address alone, nobody is served what another was: every answer of ours is refused by the cache', async (t) => {
  const { signIn } = await openBehindCache(t)
  const [ada, eve] = [await signIn('ada'), await signIn('eve')]
  const paths = [
    '/auth/session',
    '/auth/session?touch=true',
    '/auth/sessions',
    '/auth/start',
    '/auth/callback?state=x',
    '/auth/logged-out',
    '/auth/logout/continue?ticket=x',
    '/auth/nowhere',
    '/nowhere',
  ]
  for (const path of paths) {
    for (const call of ['fetch', 'navigate'] as const) {
      const first = await ada[call](path)
      const second = await eve[call](path)
      assert.equal(wasCached(second), false, path)
      assert.equal(second.headers.get('cache-control'), 'no-store', path)
      if (path.startsWith('/auth/session')) assert.notEqual(first.text, second.text)
    }
  }
  const views = [await ada.session(), await eve.session()]
  assert.deepEqual(
    views.map(({ user }) => (user as { sub: string }).sub),
    ['ada', 'eve'],
  )
})

test('an address that looks like a file is no other name for one of ours, and nothing of it is cached', async (t) => {
  const { url, signIn } = await openBehindCache(t)
  const [ada, eve] = [await signIn('ada'), await signIn('eve')]
  for (const path of ['/auth/session', '/auth/sessions', '/auth/events']) {
    for (const deception of DECEPTIONS) {
      if (path === '/auth/events' && deception.startsWith('?')) continue // A stream that stays open.
      await ada.fetch(`${url}${path}${deception}`)
      const second = await eve.fetch(`${url}${path}${deception}`)
      assert.equal(wasCached(second), false, path + deception)
      assert.doesNotMatch(second.text, /ada/, path + deception)
      if (!deception.startsWith('?'))
        assert.ok([400, 404, 405].includes(second.status), `${path}${deception}: ${second.status}`)
    }
  }
})

test('what an API says to one user stays with that user, unless the API itself says that it is for all', async (t) => {
  const { signIn } = await openBehindCache(t)
  const [ada, eve] = [await signIn('ada'), await signIn('eve')]
  const ask = async (path: string): Promise<boolean> => {
    const [first, second] = [await ada.fetch(path), await eve.fetch(path)]
    assert.deepEqual([first.status, second.status], [200, 200], path)
    assert.equal(first.text === second.text, wasCached(second), path)
    return wasCached(second)
  }
  for (const own of [
    '',
    'max-age=600',
    'private, max-age=600',
    'no-cache',
    'no-store',
    'must-revalidate, max-age=600',
  ]) {
    assert.equal(await ask(`/api/x/cache/${encodeURIComponent(own)}`), false, own)
  }
  assert.equal(await ask('/api/x/me.css'), false)
  assert.equal(await ask(`/api/x/cache/${encodeURIComponent('public, max-age=600')}`), true)
})
