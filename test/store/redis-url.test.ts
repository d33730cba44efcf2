import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRedisUrl, type RedisTarget } from '../../src/store/redis-url.ts'

const ONE: RedisTarget = {
  mode: 'single',
  tls: false,
  hosts: [{ host: 'cache', port: 6379 }],
  username: undefined,
  password: undefined,
  db: 0,
  prefix: 'oten-bff:',
  sentinel: undefined,
}

const ACCEPTED: readonly (readonly [string, Partial<RedisTarget>])[] = [
  ['redis://cache', {}],
  ['redis://cache/', {}],
  ['redis://cache:6380/15', { hosts: [{ host: 'cache', port: 6380 }], db: 15 }],
  ['rediss://cache.internal:6379', { tls: true, hosts: [{ host: 'cache.internal', port: 6379 }] }],
  ['redis://[2001:db8::1]:6380', { hosts: [{ host: '2001:db8::1', port: 6380 }] }],
  ['redis://:hunter2@cache', { password: 'hunter2' }],
  ['redis://bff:hunter2@cache', { username: 'bff', password: 'hunter2' }],
  ['redis://b%3Aff:%40%3A%2F%3F%23%25%26%3D+%C3%BC@cache', { username: 'b:ff', password: '@:/?#%&=+ü' }],
  ['redis://cache?prefix=shop-2.test_x', { prefix: 'shop-2.test_x:' }],
  ['redis://cache/3?prefix=shop', { prefix: 'shop:', db: 3 }],
  [
    'rediss://bff:hunter2@n1:7001,n2,[::1]:7003?cluster=true&prefix=shop',
    {
      mode: 'cluster',
      tls: true,
      username: 'bff',
      password: 'hunter2',
      prefix: 'shop:',
      hosts: [
        { host: 'n1', port: 7001 },
        { host: 'n2', port: 6379 },
        { host: '::1', port: 7003 },
      ],
    },
  ],
  ['redis://cache/?cluster=true', { mode: 'cluster' }],
  [
    'redis://s1,s2:26380/2?sentinel=my.main-1',
    {
      mode: 'sentinel',
      db: 2,
      sentinel: { name: 'my.main-1' },
      hosts: [
        { host: 's1', port: 26379 },
        { host: 's2', port: 26380 },
      ],
    },
  ],
  [
    'redis://:redis%20secret@s1?sentinel_username=watch&sentinel_password=hunter%263&sentinel=main',
    {
      mode: 'sentinel',
      password: 'redis secret',
      sentinel: { name: 'main', username: 'watch', password: 'hunter&3' },
      hosts: [{ host: 's1', port: 26379 }],
    },
  ],
]

for (const [url, expected] of ACCEPTED) {
  test(`${url} is read`, () => {
    assert.deepEqual(parseRedisUrl(url), { ...ONE, ...expected })
  })
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['redis://', /must be redis:\/\/HOST/],
  ['redis:hunter2', /must be redis:\/\/HOST/],
  ['REDIS://hunter2', /must be redis:\/\/HOST/],
  ['unix:///hunter2.sock', /must be redis:\/\/HOST/],
  [' redis://hunter2', /must be redis:\/\/HOST/],
  ['redis://hunter2\n', /needs HOST/],
  ['redis:///0', /must be redis:\/\/HOST/],
  ['redis://cache/0#hunter2', /must be redis:\/\/HOST/],
  ['redis://bff:p@hunter2@cache', /percent-encoded/],
  ['redis://bff:p#hunter2@cache', /percent-encoded/],
  ['redis://bff:p[hunter2@cache', /percent-encoded/],
  ['redis://bff:p?hunter2@cache', /percent-encoded/],
  ['redis://bff:p/hunter2@cache', /percent-encoded/],
  ['redis://bff:12/hunter2', /needs the number of a database/],
  ['redis://bff:p:hunter2@cache', /written %3A/],
  ['redis://hunter2@cache', /needs USER:PASSWORD/],
  ['redis://hunter2:@cache', /needs USER:PASSWORD/],
  ['redis://:%hunter2@cache', /two hexadecimal digits/],
  ['redis://@cache', /needs USER:PASSWORD/],
  ['redis://-hunter2', /needs HOST/],
  ['redis://hunter 2', /needs HOST/],
  ['redis://cache:hunter2', /needs HOST/],
  ['redis://cache:0', /needs HOST/],
  ['redis://cache:65536', /needs HOST/],
  ['redis://cache:', /needs HOST/],
  ['redis://::1:6379', /needs HOST/],
  ['redis://n1,,n2?cluster=true', /needs HOST/],
  ['redis://n1,hunter2', /several hosts/],
  ['redis://cache/hunter2', /needs the number of a database/],
  ['redis://cache/-1', /needs the number of a database/],
  ['redis://cache/1/2', /must be redis:\/\/HOST|number of a database/],
  ['redis://cache/0?cluster=true', /a cluster has none/],
  ['redis://cache/1?cluster=true', /a cluster has none/],
  ['redis://cache?hunter2=1', /knows these parameters/],
  ['redis://cache?', /knows these parameters/],
  ['redis://cache?prefix', /knows these parameters/],
  ['redis://cache?prefix=', /knows these parameters/],
  ['redis://cache?prefix=a=hunter2', /knows these parameters/],
  ['redis://cache?prefix=a&', /knows these parameters/],
  ['redis://cache?PREFIX=hunter2', /knows these parameters/],
  ['redis://cache?prefix=a&prefix=hunter2', /twice/],
  ['redis://cache?prefix=a:', /1 to 64 letters/],
  ['redis://cache?prefix={hunter2}', /1 to 64 letters/],
  ['redis://cache?prefix=%2A', /1 to 64 letters/],
  [`redis://cache?prefix=${'a'.repeat(65)}`, /1 to 64 letters/],
  ['redis://cache?cluster=false', /cluster=true only/],
  ['redis://cache?cluster=1', /cluster=true only/],
  ['redis://cache?cluster=true&sentinel=main', /either/],
  ['redis://cache?sentinel=main%20hunter2', /name of the primary/],
  ['redis://cache?sentinel_password=hunter2', /together with sentinel/],
  ['redis://cache?sentinel=main&sentinel_username=hunter2', /needs a sentinel_password/],
]

for (const [url, sentence] of REFUSED) {
  test(`${JSON.stringify(url).slice(0, 80)} is refused, and not shown`, () => {
    assert.throws(
      () => parseRedisUrl(url),
      (error: Error) => {
        assert.match(error.message, /^SESSION_STORE: /)
        assert.match(error.message, sentence)
        assert.doesNotMatch(error.message, /hunter/)
        return true
      },
    )
  })
}
