import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findProxyTarget } from '../../src/proxy/target.ts'
import { buildTraceparent, continuesTrace } from '../../src/proxy/trace-context.ts'
import { hostileText, likeText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

const methods = ['GET'] as const
/** Longest prefix first, as the configuration gives them. */
const ROUTES = [
  { prefix: '/api/orders/archive', upstream: 'https://archive.internal', methods },
  { prefix: '/api/orders', upstream: 'https://orders.internal/v1', methods },
]

const PIECES =
  '/ /.. /. .. . ; %2e %2f %5c %25 \\ ? # a @ : archive %C3%A9 // * /..; /..%5c /%2e%2e/ /.%2e/ /..%2f'.split(' ')
const STARTS = ['/api/orders', '/api/orders/', '/api/orders/archive', '/api/orders/a/', '/api/', ''] as const

const target = fc.oneof(
  fc.tuple(fc.constantFrom(...STARTS), madeOf(PIECES)).map(([start, rest]) => start + rest),
  likeText('/api/orders/archive/2026/5?x=/../y'),
  hostileText,
)

type Reading = (path: string) => string

const decode: Reading = (path) =>
  path.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
const dropControls: Reading = (path) => [...path].filter((c) => c > ' ' && c !== '\x7f').join('')

const dropParameters: Reading = (path) => path.replaceAll(/;[^/]*/g, '')

/** As servers read a path that fold what this service leaves as it is. */
const READINGS: readonly Reading[] = [
  (path) => path,
  decode,
  dropControls,
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  (path) => path.split(/[?#]/, 1)[0] ?? '',
]

/** Fails for a path that one of the readings makes another API's. */
function requireFolder(url: string, upstream: string, readings: readonly Reading[]): void {
  const base = new URL(upstream)
  const folder = base.pathname.replace(/\/$/, '')
  for (const read of readings) {
    const reading = read(url.slice(base.origin.length))
    const { origin, pathname } = new URL(base.origin + reading)
    assert.equal(origin, base.origin, reading)
    // Also where the API cuts its own folder off, and resolves what is left.
    const rest = reading.startsWith(folder) ? reading.slice(folder.length) : reading
    assert.equal(URL.parse(rest || '/', base.origin)?.origin, base.origin, `${JSON.stringify(rest)} as a reference`)
    assert.ok(pathname === folder || pathname.startsWith(`${folder}/`), `${JSON.stringify(reading)} is ${pathname}`)
  }
}

test('PX-01, PX-02: a proxied path never leaves the host or the folder of its API, in no reading of it', (t) => {
  const seen = { tried: 0, passed: 0 }
  const property = fc.property(target, (requestTarget) => {
    seen.tried += 1
    const found = findProxyTarget(requestTarget, ROUTES)
    if (found.kind !== 'upstream' || /%(?:[01][0-9a-f]|7f)/i.test(requestTarget)) return // Controls: see below.
    seen.passed += 1
    const { upstream, prefix } = found.route
    assert.ok(found.url.startsWith(upstream) && requestTarget.startsWith(prefix))
    assert.match(found.url, /^[!-~]+$/)
    const twice = READINGS.flatMap((first) =>
      READINGS.map(
        (second): Reading =>
          (path) =>
            second(first(path)),
      ),
    )
    requireFolder(found.url, upstream, [...READINGS, ...twice.filter((read) => read('%0a%25') === '%0a%25')])
    // What the API sees is what was checked: a reader of URLs encodes a character at most.
    assert.equal(decode(new URL(found.url).href.replace(/\/$/, '')), decode(found.url.replace(/\/$/, '')))
  })
  return hold(t, property, { share: 10 }).then(() => assert.ok(seen.passed > seen.tried / 20, JSON.stringify(seen)))
})

test('PX-02: a proxied path stays in its folder also where the API decodes twice, or drops parameters or a control character', (t) =>
  hold(
    t,
    fc.property(target, (requestTarget) => {
      const found = findProxyTarget(requestTarget, ROUTES)
      if (found.kind !== 'upstream') return
      const decodeTwice: Reading = (path) => decode(decode(path))
      const decodeAndDrop: Reading = (path) => dropControls(decode(path))
      requireFolder(found.url, found.route.upstream, [decodeTwice, decodeAndDrop, dropParameters])
    }),
    {
      share: 10,
      examples: [
        ['/api/orders/%252e%252e/admin'],
        ['/api/orders/.%09./admin'],
        ['/api/orders/..;/admin'],
        ['/api/orders/;/evil.example'],
      ],
    },
  ))

test('PX-03: a trace goes on exactly where the W3C grammar says that there is one, and this service is its parent', (t) => {
  const hex = (length: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length }),
      fc.constant('0'.repeat(length)),
    )
  const good = fc.tuple(hex(32), hex(16), hex(2)).map(([trace, parent, flags]) => `00-${trace}-${parent}-${flags}`)
  const inbound = fc.oneof(
    good,
    good.chain((text) => likeText(text, 1)),
    hostileText,
    fc.constantFrom<unknown>(undefined, null, 7, ['00']),
  )
  return hold(
    t,
    fc.property(inbound, (given) => {
      const made = buildTraceparent(given).split('-')
      assert.match(made.join('-'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/)
      const parts = typeof given === 'string' ? given.split('-') : []
      const [version, trace = '', parent = '', flags = '', ...more] = parts
      const isHex = [trace, parent, flags].every(
        (part, at) => part.length === [32, 16, 2][at] && [...part].every((c) => '0123456789abcdef'.includes(c)),
      )
      const isValid = version === '00' && more.length === 0 && isHex && /[^0]/.test(trace) && /[^0]/.test(parent)
      assert.equal(continuesTrace(given), isValid)
      if (isValid) assert.deepEqual([made[1], made[3]], [trace, flags])
      else assert.deepEqual([made[1] === trace, made[3]], [false, '00'])
      assert.notEqual(made[2], parent)
    }),
    { share: 5 },
  )
})
