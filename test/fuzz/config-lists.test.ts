import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseAllowedOrigins } from '../../src/config/allowed-origins.ts'
import { parseApiRoutes } from '../../src/config/api-routes.ts'
import { parseApps } from '../../src/config/apps.ts'
import { parseTrustedProxies } from '../../src/config/trusted-proxies.ts'
import { API_METHODS } from '../../src/config.ts'
import { findProxyTarget } from '../../src/proxy/target.ts'
import { hostileText, likeText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

/** In many a value, and never in a sentence about one. */
const CANARY = 'canary'

/** Comma-separated: good entries, good ones with an edit, and nonsense. */
const listOf = (good: readonly string[], pieces: readonly string[]): fc.Arbitrary<string> => {
  const entry = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...good) },
    { weight: 2, arbitrary: fc.constantFrom(...good).chain((text) => likeText(text, 1)) },
    { weight: 2, arbitrary: fc.constantFrom(...pieces) },
    { weight: 2, arbitrary: madeOf([...pieces, CANARY]) },
    { weight: 1, arbitrary: hostileText },
  )
  return fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => entries.join(','))
}

/** Keeps the faults, and holds each against the rule that none shows a value. With any fault there is no start. */
function createReport() {
  const faults: string[] = []
  const report = (sentence: string): void => {
    assert.ok(!sentence.includes(CANARY), `shows the value: ${sentence}`)
    faults.push(sentence)
  }
  return { report, faults }
}

const isLoopback = (host: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(host)
const TAKEN = /^(?:https?|javascript|vbscript|data|blob|file|filesystem|about|intent|ws|wss|ftp):/i

const origins = listOf(
  [
    'https://spa.example.com',
    'https://spa.example.com:8443',
    'http://localhost:5173',
    'http://[::1]:3000',
    'app.x://host',
  ],
  'https:// http:// evil.example * . :443 :80 / @ null capacitor:// ? # javascript: http://evil.example https://*.x'.split(
    ' ',
  ),
)

test('CF-03, CS-04: an origin is allowed only as browsers send it, over https or on this machine, with no pattern in it', (t) =>
  hold(
    t,
    fc.property(origins, (text) => {
      const { report, faults } = createReport()
      const found = parseAllowedOrigins(text, 'https://spa.example.com', report)
      for (const origin of found) {
        const { protocol, hostname, host, username, search, hash } = new URL(origin)
        assert.equal(`${protocol}//${host}`, origin)
        assert.equal(username + search + hash, '')
        assert.ok(protocol === 'http:' ? isLoopback(hostname) : protocol === 'https:' || !TAKEN.test(origin), origin)
        assert.doesNotMatch(origin, /[*\s,]|^null$/)
      }
      if (faults.length > 0) return
      const entries = text.split(',').map((entry) => entry.trim())
      const others = entries.filter((entry) => entry !== '' && entry !== 'https://spa.example.com') // That is always allowed.
      assert.deepEqual(new Set(found), new Set(others))
    }),
    { share: 5 },
  ))

const routes = listOf(
  [
    '/api/orders=https://orders.internal/v1',
    '/api/orders/archive=https://archive.internal',
    'GET|HEAD /api/prices=http://localhost:4000/a/b',
    '/api/x=https://orders.internal:8443',
  ],
  '/api/ /api x / .. . = https:// evil.example %2e ? # @ GET | OPTIONS // /api/../x=https://a.b /api/.=https://a'.split(
    ' ',
  ),
)

test('PX-01: an API route has one spelling, one https or http upstream without a way out, and the longest prefix wins', (t) =>
  hold(
    t,
    fc.property(routes, (text) => {
      const { report, faults } = createReport()
      const found = parseApiRoutes(text, report, () => {})
      if (faults.length > 0) return
      for (const { prefix, upstream, methods } of found) {
        assert.match(prefix, /^\/api(?:\/[\w.~-]+)+$/)
        assert.doesNotMatch(prefix, /\/\.{1,2}(?:\/|$)/)
        assert.ok(methods.length > 0 && methods.every((method) => API_METHODS.includes(method)))
        const { protocol, username, search, hash, href } = new URL(upstream)
        assert.ok(['https:', 'http:'].includes(protocol) && username + search + hash === '', upstream)
        assert.equal(href.replace(/\/$/, ''), upstream)
        assert.doesNotMatch(upstream.slice('https://'.length), /\/\.{0,2}(?:\/|$)|%2e|%2f|%5c/i)
        const path = `${prefix}/x`
        const fitting = found.filter((other) => path.startsWith(`${other.prefix}/`))
        const longest = fitting.find((route) => fitting.every((other) => other.prefix.length <= route.prefix.length))
        const url = `${longest?.upstream}${path.slice(longest?.prefix.length)}`
        assert.deepEqual(findProxyTarget(path, found), { kind: 'upstream', url, route: longest })
      }
      assert.equal(new Set(found.map(({ prefix }) => prefix)).size, text === '' ? 0 : text.split(',').length)
    }),
    { share: 5 },
  ))

const apps = listOf(
  [
    'ios=https://app.example.com/signed-in',
    'android=com.example.app:/signed-in',
    'desktop=http://127.0.0.1:7777/done',
    'x=com.example.app://host/path?a=b',
  ],
  'a = https:// http:// evil.example javascript: intent: com.x: / // ? code=1 & # @ * %63ode=1 DATA: x:/ a=https://u@b.example/ b=data:/x'.split(
    ' ',
  ),
)

test('MH-01: a deep link is a claimed https link, loopback, or a scheme that an app can own, and leaves the answer its names', (t) =>
  hold(
    t,
    fc.property(apps, (text) => {
      const { report, faults } = createReport()
      const found = parseApps(text, report, () => {})
      if (faults.length > 0) return
      for (const [id, { deepLink }] of found) {
        assert.match(id, /^[A-Za-z0-9_-]{1,64}$/)
        assert.ok(text.includes(`${id}=${deepLink}`))
        const { protocol, hostname, hash, username, password, searchParams } = new URL(deepLink)
        assert.equal(hash + username + password, '')
        const isClaimed = protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]'].includes(hostname))
        assert.ok(isClaimed || !TAKEN.test(deepLink), deepLink)
        assert.doesNotMatch(deepLink, /[\s\\*#]/)
        for (const name of ['code', 'state', 'error']) assert.equal(searchParams.has(name), false, deepLink)
      }
    }),
    { share: 5 },
  ))

const proxies = listOf(
  ['10.0.0.0/8', '127.0.0.1', 'fd00::/8', '::1', '192.0.2.0/24'],
  '0 1 . : / fe80:: %eth0 loopback true 255 :: 0.0.0.0/0 ::/0 10.0.0.0/33'.split(' '),
)

test('CF-04: a trusted proxy is an address or a network, never everybody and never a name', (t) =>
  hold(
    t,
    fc.property(proxies, (text) => {
      const { report } = createReport()
      for (const network of parseTrustedProxies(text, report)) {
        const [address = '', bits = '1', ...more] = network.split('/')
        assert.ok(isIP(address) !== 0 && !network.includes('%') && more.length === 0, network)
        assert.ok(/^\d+$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (isIP(address) === 4 ? 32 : 128), network)
      }
    }),
    { share: 5 },
  ))
