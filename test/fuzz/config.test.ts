import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Environment } from '../../src/config/environment.ts'
import { ConfigError, loadConfig } from '../../src/config.ts'
import { parseRedisUrl } from '../../src/store/redis-url.ts'
import { DEVELOPMENT_ENV, VALID_ENV } from '../config/valid-env.ts'
import { hostileText, likeText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

const redisUrl = fc.oneof(
  fc
    .constantFrom(
      'redis://:canary@redis:6379/0',
      'rediss://canary:canary@a:1,b:2?cluster=true',
      'redis://a,b/3?sentinel=main&sentinel_password=canary',
    )
    .chain((good) => likeText(good)),
  madeOf('redis:// rediss:// canary : @ / , ? & = % %41 [::1] a 6379 0 cluster=true sentinel=main prefix='.split(' ')),
  hostileText,
)

test('CF-01: the address of a Redis is refused without a word of it, or names plain hosts', (t) =>
  hold(
    t,
    fc.property(redisUrl, (text) => {
      try {
        const { hosts, db, prefix } = parseRedisUrl(text)
        for (const { host, port } of hosts) assert.ok(/^[\w.:-]+$/.test(host) && port >= 1 && port <= 65_535, host)
        assert.ok(Number.isInteger(db) && /^[\w.-]{1,64}:$/.test(prefix))
      } catch (error) {
        assert.ok(error instanceof Error && error.message.startsWith('SESSION_STORE: '), String(error))
        assert.doesNotMatch(error.message, /canary/)
      }
    }),
    { share: 5 },
  ))

test('CF-01: every user and password reaches Redis as it is, once it is percent-encoded', (t) => {
  const secret = hostileText.map((text) => text.toWellFormed()).filter((text) => text !== '')
  return hold(
    t,
    fc.property(secret, secret, (user, word) => {
      const url = `redis://${encodeURIComponent(user)}:${encodeURIComponent(word)}@redis:1`
      const { username, password, hosts } = parseRedisUrl(url)
      assert.deepEqual([username, password, hosts], [user, word, [{ host: 'redis', port: 1 }]])
    }),
  )
})

/** Not a random one, so that a seed stands for the same values in every run. */
const SESSION_KEYS = Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64url')
const ENVIRONMENTS = [VALID_ENV, DEVELOPMENT_ENV].map((env) => ({ ...env, SESSION_KEYS }))

const variable = fc.constantFrom(...Object.keys(Environment.properties), 'OTEN_X', 'SESSION_KEYS_FILE')
const value = fc.oneof(
  fc.constantFrom('true', 'false', '1', '0', '-1', '1e3', 'none', 'HS256', 'info', '*', 'file:/tmp/x', 'canary canary'),
  fc.constantFrom('https://evil.example', 'http://evil.example', 'http://localhost:1', 'https://app.example.com'),
  hostileText.map((text) => `canary${text}`),
  fc.constantFrom(...ENVIRONMENTS.flatMap((env) => Object.values(env))).chain((text) => likeText(text, 2)),
)
const changes = fc.array(fc.tuple(variable, value), { maxLength: 3 })

test('CF-01, CF-02: whatever the environment holds, the start is refused without a value, or the configuration is a safe one', (t) =>
  hold(
    t,
    fc.property(fc.constantFrom(...ENVIRONMENTS), changes, (base, changed) => {
      try {
        const config = loadConfig({ ...base, ...Object.fromEntries(changed) }, () => {
          throw new Error('there is no such file')
        })
        const { protocol, hostname, origin } = new URL(config.publicUrl)
        assert.equal(origin, config.publicUrl)
        assert.ok(protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname))
        assert.equal(config.secure, protocol === 'https:')
        assert.ok(config.secure || config.session.sameSite !== 'none')
        assert.ok(config.secrets.current().sessionKeys.every(({ key }) => key.length === 32))
        assert.doesNotMatch(config.warnings.join('\n'), /canary/)
      } catch (error) {
        assert.ok(error instanceof ConfigError && error.faults.length > 0, String(error))
        assert.doesNotMatch(error.message, /canary/)
      }
    }),
    { share: 2 },
  ))
