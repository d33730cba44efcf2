import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KINDS } from '../support/canaries.ts'
import {
  adminJourney,
  appJourney,
  backchannelJourney,
  browserJourney,
  callersJourney,
  formJourney,
} from '../support/canary-journeys.ts'
import { CALLER_TEXT, createStage, LEVELS } from '../support/canary-stage.ts'
import { startCollector } from '../support/collector.ts'
import type { World } from '../support/world.ts'

/** That no secret is told does not mean that nothing is (LG-02, LG-03). */
function assertTold(world: World): void {
  for (const event of ['signed_in', 'signed_out', 'handed_over', 'backchannel_logout', 'backchannel_logout_refused']) {
    assert.ok(world.events(event)[0]?.request_id, event)
  }
  for (const event of ['signed_in', 'signed_out']) assert.ok(world.events(event)[0]?.session, `${event}: by whom`)
  const refusals = world.events('refused')
  assert.ok(refusals.some(({ code, reason }) => code === 'forbidden_origin' && reason !== undefined))
}

const JOURNEYS = [browserJourney, formJourney, appJourney, backchannelJourney, adminJourney, callersJourney]

test('LG-01: at every level no secret of any flow is in a line, in an answer where it does not belong, or in what the inner listener shows', {
  concurrency: LEVELS.length,
}, async (t) => {
  await Promise.all(
    LEVELS.map((level) =>
      t.test(level, async (inner) => {
        const stage = await createStage(inner, level)
        const { canaries, witness, world } = stage
        for (const journey of JOURNEYS) {
          await journey(stage)
          await witness.look()
        }
        witness.assertClean()
        const unmarked = KINDS.filter((kind) => !canaries.marked().has(kind))
        assert.deepEqual(unmarked, ['client-assertion'], 'every other kind has passed by')
        assert.equal(world.logs.length > 0, !['fatal', 'silent'].includes(level))
        if (level === 'trace') assertTold(world)
      }),
    ),
  )
})

for (const [tokenAuth, alg] of [
  ['private_key_jwt', 'HS256'],
  ['client_secret_post', 'Ed25519'],
] as const) {
  test(`LG-01: nor is there one where the client shows itself by ${tokenAuth} and signs its requests with ${alg}`, async (t) => {
    const stage = await createStage(t, 'trace', { tokenAuth, alg })
    await browserJourney(stage)
    await appJourney(stage)
    await stage.witness.look()
    stage.witness.assertClean()
    assert.equal(stage.canaries.marked().has('client-assertion'), tokenAuth === 'private_key_jwt')
  })
}

test('LG-01: a question mark that a proxy on the way has encoded brings nothing of a query into a line', async (t) => {
  const { witness, world } = await createStage(t, 'trace')
  for (const path of ['/auth/callback', '/auth/logged-out', '/auth/logout/continue', '/signed-in', '/auth/%zz']) {
    for (const mark of ['%3F', '%3f']) await witness.send(`${path}${mark}code=${CALLER_TEXT}&state=${CALLER_TEXT}`)
  }
  assert.ok(world.events('refused').length >= 10)
  witness.assertClean()
})

test('LG-01: no secret of any flow is in a trace, though every request and call of the IdP has its span', async (t) => {
  const collector = await startCollector(t)
  const stage = await createStage(t, 'silent', { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } })
  for (const journey of JOURNEYS) await journey(stage)
  await stage.world.restart() // What is left is sent when the service stops.
  const names = new Set(collector.spans.map(({ name }) => name))
  for (const name of [
    'GET /auth/callback',
    'POST /auth/handoff',
    'GET /auth/logout/continue',
    'idp token',
    'GET /api/*',
  ]) {
    assert.ok(names.has(name), name)
  }
  assert.deepEqual(stage.canaries.find(collector.received.join('\n')), [])
})
