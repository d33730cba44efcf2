import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startStage, waitToHear } from '../client/stage.ts'
import { until } from '../support/until.ts'
import { setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startStage)

const EVENTS = `${demo.bff}/auth/events`

/** Longer than the client waits for a sign of the stream. */
const QUIET_MS = 31_000

const expected = [/ERR_FAILED/, /Failed to load resource/]

/** On a page whose time is the test's. */
async function signInOnClock(page: Page): Promise<string[]> {
  await page.clock.install()
  await signIn(page, demo, 'ada')
  return noteQuestions(page, [])
}

/** @param asked what the page asks is added to it */
function noteQuestions(page: Page, asked: string[]): string[] {
  page.on('request', (request) => {
    if (request.url().startsWith(`${demo.bff}/auth/session`)) asked.push(request.url())
  })
  return asked
}

/** Says at once that there are events, and then nothing: as a proxy does that holds them back, or a line that is dead. */
const silent = createServer((_request, response) => {
  const headers = { 'access-control-allow-origin': demo.spa, 'access-control-allow-credentials': 'true' }
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' }).flushHeaders()
})
await once(silent.listen(0, 'localhost'), 'listening')
after(() => {
  silent.closeAllConnections()
  silent.close()
})
const silentUrl = `http://localhost:${(silent.address() as AddressInfo).port}/`

for (const [what, block] of [
  ['cannot be had', (page: Page) => page.route(EVENTS, (route) => route.abort())],
  ['is silent', (page: Page) => page.route(EVENTS, (route) => route.continue({ url: silentUrl }))],
] as const) {
  test(`where the stream ${what}, the service is asked every half minute, which keeps no session alive`, async (t) => {
    const { page } = await open(t, { expected })
    await block(page)
    const asked = await signInOnClock(page)
    for (let times = 1; times <= 3; times++) {
      await page.clock.fastForward(QUIET_MS)
      await until(() => asked.length === times)
    }
    assert.deepEqual(new Set(asked), new Set([`${demo.bff}/auth/session`]))

    await demo.world.simulator.endSession({ sub: 'ada' })
    await page.clock.fastForward(QUIET_MS)
    await waitToHear(page, { who: null })
    await page.clock.fastForward(QUIET_MS)
    await page.clock.fastForward(QUIET_MS)
    await page.evaluate(() => window.bff.getSession())
    assert.equal(asked.length, 5, 'where nobody is signed in, nobody asks')
  })
}

test('a page that nobody looks at asks nothing by the clock', async (t) => {
  const { page } = await open(t, { expected })
  await page.route(EVENTS, (route) => route.abort())
  const asked = await signInOnClock(page)
  await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true, configurable: true }))
  await page.clock.fastForward(QUIET_MS)
  await page.evaluate(() => window.bff.getSession({ touch: true })) // Which shares no request with another question.
  assert.deepEqual(asked, [`${demo.bff}/auth/session?touch=true`])
})

test('a stream that falls silent is given up, and opened again', async (t) => {
  const { page } = await open(t, { expected })
  let opened = 0
  await page.route(EVENTS, (route) => {
    opened += 1
    return opened === 1 ? route.continue({ url: silentUrl }) : route.continue()
  })
  await signInOnClock(page)
  await until(() => opened === 1)
  await page.clock.fastForward(46_000)
  await until(async () => {
    await page.clock.fastForward(1000)
    return (await demo.countStreams()) === 1
  })
  assert.equal(opened, 2)
  await demo.world.simulator.endSession({ sub: 'ada' })
  await waitToHear(page, { who: null, reason: 'backchannel' })
})

/** Counts what this page tells the others, and what they tell it. */
const countSigns = (page: Page): Promise<void> =>
  page.evaluate(() => {
    Object.assign(window, { signs: 0 })
    const { origin } = new URL(window.bff.signInUrl())
    new BroadcastChannel(`oten-bff ${origin}`).onmessage = () => Object.assign(window, { signs: 1 })
  })

test('as long as the stream gives signs, neither its tab nor another one asks', async (t) => {
  const { page, context } = await open(t)
  const asked = await signInOnClock(page)
  await until(async () => (await demo.countStreams()) === 1)
  const other = await context.newPage()
  await other.goto(`${demo.spa}/`)
  await waitForState(other, 'signed-in')
  noteQuestions(other, asked)
  const tabs = [page, other]
  const pass = (ms: number) => context.clock.fastForward(ms)

  await Promise.all(tabs.map(countSigns))
  await pass(20_000)
  await page.evaluate(async () => {
    const { origin } = new URL(window.bff.signInUrl())
    await fetch(`${origin}/auth/refresh`, { method: 'POST', credentials: 'include' }) // Of which the stream tells.
  })
  for (const tab of tabs) await tab.waitForFunction(() => Reflect.get(window, 'signs') === 1)
  await pass(20_000)
  await Promise.all(tabs.map((tab) => tab.evaluate(() => window.bff.getSession()))) // Ours; what came before it has been seen.
  assert.equal(asked.length, 2)
  await pass(QUIET_MS)
  await until(() => asked.length === 4)
})

test('after a question that failed the next one is not put off by what others say', async (t) => {
  const { page } = await open(t, { expected })
  await signInOnClock(page)
  await page.route('**/auth/session', (route) => route.abort())
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  await waitToHear(page, { who: null, error: 'no_answer' })
  await page.unroute('**/auth/session')
  await page.evaluate(async () => {
    const { origin } = new URL(window.bff.signInUrl())
    const session = await (await fetch(`${origin}/auth/session`, { credentials: 'include' })).json()
    const another = new BroadcastChannel(`oten-bff ${origin}`)
    const heard = new BroadcastChannel(`oten-bff ${origin}`)
    await new Promise((resolve) => {
      heard.onmessage = resolve
      another.postMessage({ id: session.session_id })
    })
  })
  await page.clock.fastForward(10_000)
  await waitToHear(page, { who: 'ada' }, 2)
})

test('an end that the stream told is believed, though nobody can say whether there is a new session', async (t) => {
  const { page } = await open(t, { expected })
  await signIn(page, demo, 'ada')
  await until(async () => (await demo.countStreams()) === 1)
  await page.route('**/auth/session', (route) => route.abort())
  await demo.world.simulator.endSession({ sub: 'ada' })
  await waitForState(page, 'signed-out')
  const [first, ...rest] = await waitToHear(page, { who: null, error: 'no_answer' })
  assert.deepEqual(first, { who: 'ada' })
  assert.deepEqual(rest[0], { who: null, reason: 'backchannel' })
})
