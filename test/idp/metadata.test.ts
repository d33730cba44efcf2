import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { BffError } from '../../src/errors.ts'
import { MetadataUnusable } from '../../src/idp/discovery.ts'
import { createIdpHttp } from '../../src/idp/http.ts'
import { createMetadata } from '../../src/idp/metadata.ts'
import { until } from '../support/until.ts'
import { createTestLog } from './build-idp.ts'
import { startHostileIdp } from './hostile-idp.ts'

const DISCOVERY = '/.well-known/openid-configuration'
const HOUR_S = 3600

async function build(t: TestContext) {
  const idp = await startHostileIdp(t)
  const log = createTestLog()
  const time = { now: 1_800_000_000 }
  const http = createIdpHttp({ allowInsecureIssuer: true, now: () => Date.now() / 1000, log })
  const asked: string[] = []
  const timers: { ms: number; run: () => void; off: boolean }[] = []
  const metadata = createMetadata({
    issuer: idp.issuer,
    allowInsecureIssuer: true,
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'auto',
    hasSecret: true,
    hasAssertionKeys: false,
    fetch: (url, init) => {
      asked.push(url)
      return http.fetch(url, init)
    },
    now: () => time.now,
    log,
    later: (ms, run) => {
      const timer = { ms, run, off: false }
      timers.push(timer)
      return () => {
        timer.off = true
      }
    },
  })
  t.after(async () => {
    metadata.close()
    await http.close()
  })
  return { idp, log, time, timers, metadata, asked, fetches: () => idp.count(DISCOVERY) }
}

const isUnavailable = (error: unknown): boolean => error instanceof BffError && error.code === 'idp_unavailable'

test('KY-03 the metadata is fetched once for many callers, and then served from memory for most of an hour', async (t) => {
  const { time, metadata, fetches } = await build(t)
  assert.deepEqual(metadata.status(), { state: 'degraded', reason: 'discovery was not fetched yet' })
  await Promise.all(Array.from({ length: 20 }, () => metadata.get()))
  time.now += 0.89 * HOUR_S
  await metadata.get()
  assert.equal(fetches(), 1)
  assert.deepEqual(metadata.status(), { state: 'ok' })
})

test('KY-03 after an hour it is refreshed in the background, while the old copy serves', async (t) => {
  const { idp, time, metadata, fetches } = await build(t)
  await metadata.get()
  idp.metadata.token_endpoint = `${idp.issuer}/token2`
  time.now += 1.11 * HOUR_S
  assert.equal((await metadata.get()).tokenEndpoint, `${idp.issuer}/token`)
  // The IdP has been asked before its answer is here.
  await until(async () => (await metadata.get()).tokenEndpoint === `${idp.issuer}/token2`)
  assert.equal(fetches(), 2)
})

test('KY-03 an IdP that is down later costs nothing for 24 hours, then get() fails', async (t) => {
  const { idp, time, metadata } = await build(t)
  await metadata.get()
  await idp.stop()
  time.now += 24 * HOUR_S
  assert.equal((await metadata.get()).issuer, idp.issuer)
  await until(() => metadata.status().state === 'degraded')
  time.now += 3
  await assert.rejects(metadata.get(), isUnavailable)
  await idp.restart()
  time.now += 3
  assert.equal((await metadata.get()).issuer, idp.issuer)
  assert.deepEqual(metadata.status(), { state: 'ok' })
})

test('KY-03 an IdP that is down from the start is degraded; get() tries again after two seconds, not before', async (t) => {
  const { idp, time, metadata, fetches } = await build(t)
  idp.on(DISCOVERY, () => ({ status: 503 }))
  await assert.rejects(metadata.get(), isUnavailable)
  assert.deepEqual(metadata.status(), { state: 'degraded', reason: 'discovery answered 503' })
  idp.on(DISCOVERY, () => ({ body: idp.metadata }))
  await Promise.all(Array.from({ length: 20 }, () => assert.rejects(metadata.get(), isUnavailable)))
  assert.equal(fetches(), 1)
  time.now += 2
  await metadata.get()
  assert.equal(fetches(), 2)
})

test('KY-01, ST-13 unusable metadata is never handed out, and the status names the field', async (t) => {
  const { idp, time, metadata } = await build(t)
  idp.metadata.issuer = 'https://evil.example'
  const error = await metadata.get().catch((reason: unknown) => reason)
  assert.ok(error instanceof BffError && error.code === 'idp_unavailable')
  assert.match(error.message, /^issuer is "https:\/\/evil\.example"/)
  assert.ok(error.cause instanceof MetadataUnusable)
  assert.equal(metadata.status().state, 'unusable')
  assert.equal(metadata.status().reason, error.message)
  await idp.stop() // Out of reach now: no news, so the verdict stands.
  time.now += 3
  await assert.rejects(metadata.get(), isUnavailable)
  assert.equal(metadata.status().state, 'unusable')
})

test('KY-03 metadata that becomes unusable later does not replace the good copy, but shows in the status', async (t) => {
  const { idp, time, metadata } = await build(t)
  await metadata.get()
  idp.metadata.code_challenge_methods_supported = ['plain']
  time.now += 2 * HOUR_S
  await metadata.get()
  await until(() => metadata.status().state === 'unusable')
  assert.equal(metadata.status().reason, 'code_challenge_methods_supported lacks S256')
  assert.equal((await metadata.get()).issuer, idp.issuer)
  time.now += 23 * HOUR_S
  await assert.rejects(metadata.get(), isUnavailable)
})

test('KY-03 an answer that is no metadata is a wrong setting at first, but an outage once a good copy is held', async (t) => {
  const answers = [
    { body: '<html>Back soon</html>' },
    { status: 404 },
    { status: 302, headers: { location: '/maintenance' } },
  ]
  for (const answer of answers) {
    const { idp, time, metadata } = await build(t)
    idp.on(DISCOVERY, () => answer)
    await assert.rejects(metadata.get(), isUnavailable)
    assert.equal(metadata.status().state, 'unusable')
    idp.on(DISCOVERY, () => ({ body: idp.metadata }))
    time.now += 3
    await metadata.get()
    idp.on(DISCOVERY, () => answer)
    time.now += 2 * HOUR_S
    await metadata.get()
    await until(() => metadata.status().state === 'degraded')
    time.now += 23 * HOUR_S // The good copy is too old now, and the same answer a wrong setting again.
    await assert.rejects(metadata.get(), isUnavailable)
    assert.equal(metadata.status().state, 'unusable')
  }
})

test('KY-03 replicas that started together refresh at times of their own, 54 to 66 minutes after the last', async (t) => {
  for (const [drawn, freshS] of [
    [0, 54 * 60],
    [0.5, 60 * 60],
    [1 - 2 ** -53, 66 * 60],
  ] as const) {
    t.mock.method(Math, 'random', () => drawn)
    const { time, metadata, asked } = await build(t)
    await metadata.get()
    time.now += freshS
    await metadata.get()
    await turn() // By then whatever goes on in the background has asked.
    assert.equal(asked.length, 1)
    time.now += 1
    await metadata.get()
    await turn()
    assert.equal(asked.length, 2)
  }
})

test('KY-03 in the background it retries with pauses of at most ten seconds, until the IdP is there', async (t) => {
  const { idp, time, timers, metadata } = await build(t)
  idp.on(DISCOVERY, () => ({ status: 503 }))
  metadata.start()
  metadata.start() // Once started is started.
  for (let tries = 1; tries <= 5; tries += 1) {
    await until(() => timers.length === tries)
    time.now += (timers.at(-1)?.ms ?? 0) / 1000
    if (tries < 5) timers.at(-1)?.run()
  }
  assert.deepEqual(
    timers.map(({ ms }) => ms),
    [2000, 4000, 8000, 10_000, 10_000],
  )
  idp.on(DISCOVERY, () => ({ body: idp.metadata }))
  timers.at(-1)?.run()
  await until(() => metadata.status().state === 'ok')
})

test('KY-03 the background refreshes an old copy without anybody asking, and leaves a fresh one alone', async (t) => {
  const { time, timers, metadata, fetches } = await build(t)
  metadata.start()
  await until(() => timers.length === 1)
  time.now += HOUR_S / 2
  timers[0]?.run()
  await until(() => timers.length === 2)
  assert.equal(fetches(), 1)
  time.now += HOUR_S
  timers[1]?.run()
  await until(() => timers.length === 3)
  assert.equal(fetches(), 2)
  metadata.close()
  assert.equal(timers[2]?.off, true)
  assert.ok(timers.every(({ ms }) => ms === 10_000))
})

test('KY-03 its own timers run the background, and close calls them off', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 1_800_000_000
  let asked = 0
  const metadata = createMetadata({
    issuer: 'https://idp.example',
    allowInsecureIssuer: false,
    requestObjectAlg: 'EdDSA',
    tokenAuth: 'auto',
    hasSecret: true,
    hasAssertionKeys: false,
    fetch: async () => {
      asked += 1
      throw new BffError('idp_unavailable', 'nobody there')
    },
    now: () => now,
    log: createTestLog(),
  })
  const pass = async (ms: number): Promise<number> => {
    now += ms / 1000
    t.mock.timers.tick(ms)
    await turn()
    return asked
  }
  metadata.start()
  assert.deepEqual([await pass(0), await pass(1999), await pass(1), await pass(4000)], [1, 1, 2, 3])
  metadata.close()
  assert.equal(await pass(60_000), 3)
})

test('KY-03 closed while it fetches, it does not go on', async (t) => {
  const { idp, timers, metadata } = await build(t)
  idp.on(DISCOVERY, () => {
    metadata.close()
    return { body: idp.metadata }
  })
  metadata.start()
  await until(() => metadata.status().state === 'ok')
  await metadata.get()
  assert.equal(timers.length, 0)
})

test('KY-03 a failure is logged when it begins and when it ends, not at each attempt', async (t) => {
  const { idp, log, time, metadata } = await build(t)
  idp.on(DISCOVERY, () => ({ status: 503 }))
  for (let tries = 0; tries < 5; tries += 1) {
    await assert.rejects(metadata.get(), isUnavailable)
    time.now += 3
  }
  idp.on(DISCOVERY, () => ({ status: 500 })) // News, though of the same state.
  await assert.rejects(metadata.get(), isUnavailable)
  time.now += 3
  idp.on(DISCOVERY, () => ({ body: idp.metadata }))
  await metadata.get()
  const failed = 'identity provider metadata could not be refreshed'
  assert.deepEqual(log.lines, [
    { level: 'warn', fields: { state: 'degraded', reason: 'discovery answered 503' }, message: failed },
    { level: 'warn', fields: { state: 'degraded', reason: 'discovery answered 500' }, message: failed },
    { level: 'info', fields: {}, message: 'identity provider metadata is usable' },
  ])
})
