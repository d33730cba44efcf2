import assert from 'node:assert/strict'
import { request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { assertQuoted } from './guide.ts'
import { openBehindNginx, withDirectives } from './nginx.ts'

const LIMIT = 3

/** Starts a sign-in from one of the addresses that this machine has. */
const startFrom = (localAddress: string, url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const path = `${url.replace('localhost', '127.0.0.1')}/auth/start`
    const sent = request(path, { localAddress, agent: false, headers: { host: new URL(url).host } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    sent.once('error', reject)
    sent.end()
  })

/** One address uses up its limit; then another one asks. */
async function crowd(t: TestContext, trusted: string) {
  const env = { TRUSTED_PROXIES: trusted, RATE_LIMIT_PER_MINUTE: `${LIMIT}` }
  const { world } = await openBehindNginx(t, withDirectives(''), { env })
  for (let n = 0; n < LIMIT; n++) assert.equal(await startFrom('127.0.0.2', world.publicUrl), 303)
  assert.equal(await startFrom('127.0.0.2', world.publicUrl), 429)
  return { world, other: await startFrom('127.0.0.3', world.publicUrl) }
}

test('behind a proxy that is not in TRUSTED_PROXIES one user’s limit is everybody’s, and the log says so; in it each has an own', async (t) => {
  const strange = await crowd(t, '')
  assert.equal(strange.other, 429)
  const warning = strange.world.logs
    .map((line) => String(JSON.parse(line).msg))
    .find((msg) => /TRUSTED_PROXIES/.test(msg))
  assertQuoted(`${warning}`)
  assert.equal((await crowd(t, '127.0.0.1/32')).other, 303)
})
