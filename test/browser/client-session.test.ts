import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goBack, startStage, waitToHear } from '../client/stage.ts'
import { storeDown } from '../plugins/build-service.ts'
import { at, passIdp, setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startStage)
const home = `${demo.spa}/`

/** What Chromium says about answers that are failures. */
const expected = [/Failed to load resource/]

test('a listener hears at once who is signed in, and nothing as long as that stays so', async (t) => {
  const { page } = await open(t)
  await page.goto(home)
  assert.deepEqual(await waitToHear(page, { who: null }), [{ who: null }])
  await signIn(page, demo, 'ada')
  await page.evaluate(() => window.bff.getSession({ touch: true }))
  await page.evaluate(() => window.bff.fetch('/api/demo/hello'))
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: 'ada' }])
})

test('a listener hears of other claims of the same user', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await page.route('**/auth/session', async (route) => {
    const response = await route.fetch()
    const view = (await response.json()) as { user: object }
    await route.fulfill({ response, json: { ...view, user: { ...view.user, name: 'Ada Lovelace' } } })
  })
  await page.evaluate(() => window.bff.getSession())
  assert.deepEqual(await waitToHear(page, { who: 'ada' }, 1), [{ who: 'ada' }, { who: 'ada' }])
})

test('a listener that comes later hears the present state, once, and none after it has left', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  const heard = await page.evaluate(async () => {
    const late: unknown[] = []
    const stop = window.bff.onChange((session) => late.push(session.authenticated && session.user.sub))
    const before = late.length // Not yet: whoever stops it in the listener must have been given how.
    await window.bff.getSession()
    stop()
    window.bff.onChange((session) => late.push(session.authenticated && session.user.sub))()
    await window.bff.getSession()
    return [before, ...late]
  })
  assert.deepEqual(heard, [0, 'ada'])
})

test('a listener that throws is no matter of the others', async (t) => {
  const { page } = await open(t, { expected: [/uncaught: this listener is broken/] })
  await page.goto(home)
  await waitForState(page, 'signed-out')
  const others = await page.evaluate(
    () =>
      new Promise((resolve) => {
        window.bff.onChange(() => {
          throw new Error('this listener is broken')
        })
        window.bff.onChange((session) => resolve(session.authenticated))
      }),
  )
  assert.equal(others, false)
})

test('two quick clicks start one sign-in; after a return by the back button another one can be started', async (t) => {
  const { page } = await open(t)
  const starts: string[] = []
  page.on('request', (request) => {
    if (request.url().startsWith(`${demo.bff}/auth/start`)) starts.push(request.url())
  })
  await page.goto(home)
  await waitForState(page, 'signed-out')
  await page.evaluate(() => {
    for (let clicks = 0; clicks < 2; clicks++) document.querySelector('button')?.click()
  })
  await page.locator('input[name="login"]').waitFor()
  assert.equal(starts.length, 1)
  await goBack(page)
  await waitForState(page, 'signed-out')
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  assert.equal(starts.length, 2)
})

test('a sign-in that the service refuses throws, and the next one is free', async (t) => {
  const { page } = await open(t, { expected })
  await page.goto(home)
  await waitForState(page, 'signed-out')
  const refused = await page.evaluate(() =>
    window.bff.signIn({ returnTo: 'https://elsewhere.example/' }).catch(({ status, code }) => [status, code]),
  )
  assert.deepEqual(refused, [400, 'invalid_request'])
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
})

test('what a page asks of a sign-in arrives at the IdP, and the address of a plain link asks the same', async (t) => {
  const { page } = await open(t)
  await page.goto(home)
  await waitForState(page, 'signed-out')
  const options = { prompt: 'login', login_hint: 'ada@example.com', max_age: 60, returnTo: '/inbox?open=1#7' } as const
  const link = new URL(await page.evaluate((given) => window.bff.signInUrl(given), options))
  assert.equal(link.origin + link.pathname, `${demo.bff}/auth/start`)
  const asked = { return_to: `${demo.spa}/inbox?open=1`, prompt: 'login', login_hint: 'ada@example.com', max_age: '60' }
  assert.deepEqual(Object.fromEntries(link.searchParams), asked)

  const request = page.waitForRequest((sent) => sent.url().startsWith(`${demo.bff}/auth/start`))
  await page.evaluate((given) => void window.bff.signIn(given), options)
  const sent = new URL((await request).url()).searchParams
  assert.deepEqual(Object.fromEntries(sent), { ...asked, response: 'json' })
  await passIdp(page, 'ada')
  await page.waitForURL(`${demo.spa}/inbox?open=1#7`)
  await waitForState(page, 'signed-in')
})

test('a service that cannot say who is signed in leaves it unknown, and is asked again until it can', async (t) => {
  const { page } = await open(t, { expected })
  await signIn(page, demo, 'ada')
  await page.clock.install()
  demo.store.fault = storeDown()
  t.after(() => {
    demo.store.fault = undefined
  })
  await page.goto(home)
  await waitForState(page, 'unknown')
  assert.deepEqual(await page.evaluate(() => window.heard), [{ who: null, error: 'store_unavailable' }])
  demo.store.fault = undefined
  await page.clock.fastForward(10_000)
  await waitForState(page, 'signed-in')
})

test('who is signed in stays so while the service cannot say, and who signs out then still is', async (t) => {
  const { page } = await open(t, { expected })
  await signIn(page, demo, 'ada')
  await page.clock.install()
  await page.reload()
  await waitToHear(page, { who: 'ada' })
  await page.clock.pauseAt(Date.now() + 5000)
  demo.store.fault = storeDown()
  t.after(() => {
    demo.store.fault = undefined
  })
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
  const failure = { who: null, error: 'store_unavailable' }
  assert.deepEqual(await waitToHear(page, failure), [{ who: 'ada' }, failure])
  const late = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const told: unknown[] = []
        const onError = ({ code }: { code: string }) => resolve([...told, code])
        window.bff.onChange((session) => told.push(session.authenticated && session.user.sub), onError)
      }),
  )
  assert.deepEqual(late, ['ada', 'store_unavailable'])
  assert.equal(await page.evaluate(() => window.bff.signOut().catch(({ status }) => status)), 503)
  await waitForState(page, 'signed-in')

  demo.store.fault = undefined
  await page.clock.fastForward(10_000)
  await waitToHear(page, { who: 'ada' }, 2)
  await waitForState(page, 'signed-in')
})

test('a sign-out ends the session here and at the IdP, and leads back to the page or to where it says', async (t) => {
  const { page, cookies } = await open(t)
  await page.goto(`${home}inbox?open=1`)
  for (const [given, place] of [
    [{}, `${home}inbox?open=1`],
    [{ returnTo: '/bye' }, `${home}bye`],
  ] as const) {
    await at(page, 'sign-in').click()
    await passIdp(page, 'ada')
    await waitForState(page, 'signed-in')
    const atIdp = page.waitForRequest((request) => request.url().startsWith(`${demo.simulator}/`))
    await page.evaluate((options) => void window.bff.signOut(options), given)
    await atIdp
    await page.waitForURL(place)
    await waitForState(page, 'signed-out')
    assert.deepEqual(await cookies(), [])
  }
})

test('a sign-out with nothing to end at the IdP stays on the page, or goes where it says', async (t) => {
  const { page } = await open(t)
  await page.goto(`${home}inbox`)
  await waitForState(page, 'signed-out')
  await page.evaluate(() => window.bff.signOut())
  assert.equal(page.url(), `${home}inbox`)
  await page.evaluate(() => void window.bff.signOut({ returnTo: '/bye#here' }))
  await page.waitForURL(`${home}bye#here`)
})

test('why a sign-in failed is said once, and goes out of the address as it was', async (t) => {
  const { page } = await open(t)
  await page.goto(`${home}inbox?a&b=%20+1`)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada', 'deny')
  await waitForState(page, 'signed-out')
  assert.equal(page.url(), `${home}inbox?a&b=%20+1&auth_error=access_denied`)
  assert.deepEqual(await page.evaluate(() => [window.bff.authError(), window.bff.authError()]), [
    'access_denied',
    undefined,
  ])
  assert.equal(page.url(), `${home}inbox?a&b=%20+1`)
})
