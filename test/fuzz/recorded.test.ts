import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { openBrowser } from '../flows/steps.ts'
import type { Browser } from '../support/browser.ts'
import { createWorld, type World } from '../support/world.ts'
import { createValues, fill, record, type Stage } from './record.ts'
import { type Mutated, mutationsOf } from './requests.ts'
import { hold } from './settings.ts'
import { exchange, type WireAnswer } from './wire.ts'

/** Sent side by side: many of them wait for a while until nothing more comes. */
const AT_ONCE = 16

/** Where a redirect of ours may lead: one of our own paths, the IdP, the page that was recorded. */
function requireLocation(location: string, { world, origin }: Stage): void {
  const places = [world.publicUrl, origin, world.simulator.issuer].map((place) => `${place}/`)
  const isOwnPath = /^\/(?![/\\])/.test(location)
  assert.ok(isOwnPath || places.some((place) => location.startsWith(place)), `redirects to ${location}`)
}

/** Contract §8, for an answer under `/auth/`, or to what is no request at all. */
function requireHeaders({ status, headers }: WireAnswer): void {
  const one = (name: string): string => headers.get(name)?.join() ?? ''
  const isDocument = status === 200 && /^application\/(?:jwk-set\+json|yaml)/.test(one('content-type'))
  assert.match(one('cache-control'), isDocument ? /^public, max-age=300$/ : /^no-store$/)
  assert.equal(one('x-content-type-options'), 'nosniff')
  assert.equal(one('referrer-policy'), 'no-referrer')
}

function requireAnswer(answer: WireAnswer, mutated: Mutated, stage: Stage): void {
  const { status, headers, body } = answer
  if (status === 100) return
  assert.ok(status >= 200 && status < 600 && status !== 500, `answers ${status}: ${body}`)
  // Without a Host it is Node that answers: see below.
  if (!mutated.of.includes(' /api/') && /^host:/im.test(mutated.text)) requireHeaders(answer)
  for (const location of headers.get('location') ?? []) requireLocation(location, stage)
  for (const cookie of headers.get('set-cookie') ?? []) assert.match(cookie, /^oten_(?:session|tx_[\w-]{8})=[\w.-]*; /)
  const isJson = /json/.test(String(headers.get('content-type')))
  if (status < 400 || !isJson || body === '') return // What answers a HEAD has none.
  assert.deepEqual(Object.keys(JSON.parse(body) as object), ['error', 'error_description', 'error_id'])
}

/** Somebody else, who does nothing and to whom nothing may happen. */
async function createBystander({ world }: Stage) {
  const browser = openBrowser(world)
  await browser.signIn('bob')
  const before = await browser.session()
  assert.equal(before.authenticated, true)
  return {
    id: String(before.session_id),
    check: async () => {
      const now = await browser.session()
      assert.deepEqual([now.session_id, now.user], [before.session_id, before.user])
    },
  }
}

/** What the service itself holds to be its own fault; not that a client was gone before an API had answered. */
const findFailures = ({ events }: World): unknown[] =>
  events('failed').filter(
    (entry) => entry.code === 'server_error' && !JSON.stringify(entry).includes('UND_ERR_ABORTED'),
  )

/** The credential of a session of the attacker's own, which its requests may end. */
async function requireSession(browser: Browser): Promise<string> {
  if ((await browser.session()).authenticated !== true) await browser.signIn('ada')
  return (await browser.cookie('oten_session')) ?? assert.fail('no session')
}

test('the recorded requests themselves do what they did when they were recorded', async (t) => {
  const stage = await record(t)
  const attacker = openBrowser(stage.world)
  const statuses: Record<string, number[]> = {}
  for (const { name, text } of stage.templates) {
    const values = await createValues(stage, await requireSession(attacker))
    const { answers, end } = await exchange(stage.port, fill(text, values), true)
    assert.equal(end, name === 'GET /auth/events' ? 'left' : 'closed', name)
    statuses[name] = [...(statuses[name] ?? []), ...answers.map(({ status }) => status)]
  }
  assert.deepEqual(statuses, {
    'GET /auth/start': [200, 303],
    'GET /auth/callback': [303],
    'GET /auth/session': [200],
    'POST /auth/refresh': [200],
    'GET /auth/sessions': [200],
    'GET /api/x/items/5': [200],
    'POST /api/x/items': [200],
    'DELETE /auth/sessions/0123456789abcdef': [404],
    'OPTIONS /auth/refresh': [204],
    'POST /auth/handoff': [400],
    'POST /auth/logout': [200, 303],
    'GET /auth/logout/continue': [303],
    'GET /auth/logged-out': [303],
    'POST /auth/backchannel-logout': [200],
    'GET /auth/events': [200],
  })
})

test('whatever is done to recorded requests, the service answers or closes, never with 500, and nobody else is touched', async (t) => {
  const stage = await record(t)
  const { world, port, templates } = stage
  const bystander = await createBystander(stage)
  const attacker = openBrowser(world)
  await hold(
    t,
    fc.asyncProperty(
      fc.array(mutationsOf(templates), { minLength: 1, maxLength: AT_ONCE, size: 'max' }),
      async (mutations) => {
        world.logs.length = 0
        const values = await createValues(stage, await requireSession(attacker))
        await Promise.all(
          mutations.map(async (mutated) => {
            const { answers, end } = await exchange(port, fill(mutated.text, values), mutated.isWhole)
            const what = `${mutated.of}: ${mutated.did}`
            assert.notEqual(end, 'hung', what)
            assert.ok(!mutated.isWhole || answers.length > 0, `${what}: no answer`)
            for (const answer of answers) {
              try {
                requireAnswer(answer, mutated, stage)
                assert.ok(
                  !answer.body.includes(bystander.id) && !answer.body.includes('"bob"'),
                  'speaks of somebody else',
                )
              } catch (cause) {
                throw new Error(`${what}: ${String(cause)}`, { cause })
              }
            }
          }),
        )
        await bystander.check()
        assert.deepEqual(findFailures(world), [])
      },
    ),
    { share: 0.1 },
  )
})

test('HC-01, ER-07: also the answer to a request without a Host has the headers of every answer', async (t) => {
  const { port, templates } = await record(t)
  for (const { name, text } of templates.filter((template) => template.name.includes(' /auth/'))) {
    const octets = Buffer.from(text.replace(/^host: .*\r\n/im, ''), 'latin1')
    const { answers } = await exchange(port, octets, true)
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400],
      name,
    )
    for (const answer of answers) requireHeaders(answer)
  }
})

test('a connection that is over leaves nothing behind that still waits for a body', async (t) => {
  const world = await createWorld(t, { bodyTimeoutMs: 50 })
  const head = ['GET /auth/session HTTP/1.1', 'host: x', 'sec-fetch-site: same-origin', 'transfer-encoding: chunked']
  const octets = Buffer.from([...head, 'connection: close', '', ''].join('\r\n'))
  const { answers, end } = await exchange(Number(new URL(world.publicUrl).port), octets, true)
  assert.deepEqual([answers.map(({ status }) => status), end], [[200], 'closed'])
  await sleep(60) // Of two timers of one process the one that is due first runs first, on however slow a machine.
  assert.deepEqual(
    world.events('refused').filter(({ reason }) => reason === 'the body did not end in time'),
    [],
  )
})
