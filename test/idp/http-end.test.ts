import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { createIdpHttp, type IdpHttpOptions } from '../../src/idp/http.ts'
import { createTestLog } from './build-idp.ts'
import { startHostileIdp } from './hostile-idp.ts'

const get = { method: 'GET' }
const post = { method: 'POST' }

/** An IdP that hears a request for `/silent` and never answers; `heard` waits for so many. */
async function build(t: TestContext, options: Partial<IdpHttpOptions> = {}) {
  const idp = await startHostileIdp(t)
  const heard = Promise.withResolvers<void>()
  let missing = 2
  idp.on('/silent', () => {
    missing -= 1
    if (missing === 0) heard.resolve()
    return undefined
  })
  const log = createTestLog()
  const http = createIdpHttp({ allowInsecureIssuer: true, now: () => Date.now() / 1000, log, ...options })
  t.after(() => http.close())
  return { idp, http, bothHeard: heard.promise }
}

test('TX-04 closed, it ends what is under way, whether it reads or sends', async (t) => {
  const { idp, http, bothHeard } = await build(t)
  const failures = [get, post].map((init) =>
    assert.rejects(http.fetch(`${idp.issuer}/silent`, init), /UND_ERR_DESTROYED/),
  )
  await bothHeard
  await http.close()
  await Promise.all(failures)
})

test('TX-04 whoever asks may give up sooner, but not wait longer', async (t) => {
  const { idp, http, bothHeard } = await build(t, { totalTimeoutMs: 500 })
  const patient = new AbortController()
  const hasty = new AbortController()
  const failures = [
    assert.rejects(http.fetch(`${idp.issuer}/silent`, { ...get, signal: patient.signal }), /: TimeoutError$/),
    assert.rejects(http.fetch(`${idp.issuer}/silent`, { ...get, signal: hasty.signal }), /: AbortError$/),
  ]
  await bothHeard
  hasty.abort()
  await Promise.all(failures)
})

test('a failure that is no error is one all the same, and not quoted', async (t) => {
  const { idp, http } = await build(t)
  const signal = AbortSignal.abort('canary')
  await assert.rejects(http.fetch(`${idp.issuer}/silent`, { ...get, signal }), {
    code: 'idp_unavailable',
    message: `GET ${idp.issuer}/silent: failed`,
  })
})

test('TX-04 of a redirect that never ends nothing is waited for: its connection is closed', async (t) => {
  const { idp, http } = await build(t, { totalTimeoutMs: 60_000 })
  const closed = Promise.withResolvers<unknown>()
  idp.on('/token', (_received, response) => {
    closed.resolve(once(response, 'close', { signal: AbortSignal.timeout(3000) }))
    response.writeHead(302, { location: '/elsewhere' }).write('{')
    return undefined
  })
  await assert.rejects(http.fetch(`${idp.issuer}/token`, get), /answered 302/)
  await closed.promise
})
