import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchIdp, IdpFetchInit } from '../../src/idp/http.ts'
import { timeFetch } from '../../src/idp/timed-fetch.ts'
import { createMetrics } from '../../src/metrics.ts'

const URL_ASKED = 'https://idp.example/token'
const INIT: IdpFetchInit = { method: 'GET' }

/** What the metrics have, by outcome: how many answers, and how many seconds these took together. */
async function read({ idpDuration }: ReturnType<typeof createMetrics>) {
  const { values } = await idpDuration.get()
  const named = (ending: string) => values.filter(({ metricName }) => metricName?.endsWith(ending))
  return {
    counts: Object.fromEntries(
      named('_count').map(({ labels, value }) => [`${labels.endpoint} ${labels.outcome}`, value]),
    ),
    seconds: named('_sum').reduce((sum, { value }) => sum + value, 0),
  }
}

test('each answer is counted by its endpoint and status, in seconds; none at all as unreachable', async () => {
  const metrics = createMetrics()
  const answers = [200, 204, 302, 400, 503]
  const fetch: FetchIdp = async () => {
    const status = answers.shift()
    if (status === undefined) throw new Error('nobody there')
    return new Response(null, { status })
  }
  const timed = timeFetch(fetch, 'token', metrics)
  const startedAt = performance.now()
  const statuses = []
  while (answers.length > 0) statuses.push((await timed(URL_ASKED, INIT)).status)
  await assert.rejects(timed(URL_ASKED, INIT), /nobody there/)
  const tookS = (performance.now() - startedAt) / 1000
  assert.deepEqual(statuses, [200, 204, 302, 400, 503])
  const { counts, seconds } = await read(metrics)
  assert.deepEqual(counts, { 'token 2xx': 2, 'token 3xx': 1, 'token 4xx': 1, 'token 5xx': 1, 'token unreachable': 1 })
  assert.ok(seconds > 0 && seconds <= tookS, `${seconds} of ${tookS}`)
})

test('without metrics the fetch stays as it is', async () => {
  const fetch: FetchIdp = async () => new Response('here')
  assert.equal(await (await timeFetch(fetch, 'jwks')(URL_ASKED, INIT)).text(), 'here')
})
