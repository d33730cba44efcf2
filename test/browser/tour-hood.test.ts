import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readText, setUp, signIn, waitForState } from './support.ts'
import { signInOnPhone, waitForArrows } from './tour-support.ts'

const { demo, open } = await setUp(startDemo)

const decode = (part = ''): Record<string, unknown> => JSON.parse(Buffer.from(part, 'base64url').toString())

/** What a browser comes to carry to the IdP. */
async function catchRequestObject(page: Page): Promise<string> {
  const request = await page.waitForRequest((sent) => sent.url().startsWith(`${demo.simulator}/v1/oauth/authorize?`))
  return new URL(request.url()).searchParams.get('request') ?? ''
}

/** Values as the panel shows them, by name. */
const readClaims = async (page: Page, testId: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await at(page, testId)
      .locator('[data-claim]')
      .evaluateAll((rows) =>
        rows.map((row) => [row.getAttribute('data-claim') ?? '', row.querySelector('dd code')?.textContent ?? '']),
      ),
  )

/** As the panel should show them: instants with a time of day behind, what binds a sign-in to its browser masked. */
function toShown(members: Record<string, unknown>, shown: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).map(([name, value]) => {
      if (name === 'state' || name === 'nonce') return [name, '•••']
      const isInstant = ['iat', 'nbf', 'exp'].includes(name)
      return [name, isInstant ? `${value} (${/\((.*)\)$/.exec(shown[name] ?? '')?.[1]})` : String(value)]
    }),
  )
}

/** Without what is fetched when it is not there yet, and its answer. */
const without = (arrows: readonly string[], what: string): string[] =>
  arrows.filter((arrow, index) => !arrow.includes(what) && !arrows[index - 1]?.includes(what))

test('the panel shows the request object that was sent, claim by claim, and verifies its signature', async (t) => {
  const { page } = await open(t)
  const caught = catchRequestObject(page)
  await signIn(page, demo, 'ada')
  const [header, claims] = (await caught).split('.', 2).map(decode)
  assert.ok(header !== undefined && claims?.code_challenge_method === 'S256')

  await at(page, 'signature').getByText('The signature is valid').waitFor()
  const shownHeader = await readClaims(page, 'request-object-header')
  assert.deepEqual(shownHeader, toShown(header, shownHeader))
  const shownClaims = await readClaims(page, 'request-object-claims')
  assert.deepEqual(shownClaims, toShown(claims, shownClaims))
  for (const secret of [claims.state, claims.nonce]) {
    assert.ok(!(await page.content()).includes(String(secret)), 'state and nonce are masked')
  }
})

test('a request object that was changed on the way is shown as not valid', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await page.route('**/exchanges/all', async (route) => {
    const response = await route.fetch()
    const exchanges = (await response.json()) as { requestObject?: string }[]
    const changed = exchanges.map(({ requestObject, ...rest }) => {
      if (requestObject === undefined) return rest
      const [header, payload, signature] = requestObject.split('.')
      const claims = Buffer.from(JSON.stringify({ ...decode(payload), scope: 'openid admin' })).toString('base64url')
      return { ...rest, requestObject: `${header}.${claims}.${signature}` }
    })
    await route.fulfill({ response, json: changed })
  })
  await page.reload()
  await at(page, 'signature').getByText('The signature is not valid').waitFor()
  assert.equal((await readClaims(page, 'request-object-claims')).scope, 'openid admin')
})

test('the panel shows the cookies as they were set, without their values', async (t) => {
  const { page, cookies } = await open(t)
  const started = page.waitForResponse((response) => response.url().startsWith(`${demo.bff}/auth/start`))
  const finished = page.waitForResponse((response) => response.url().startsWith(`${demo.bff}/auth/callback`))
  await signIn(page, demo, 'ada')
  const lines = [...(await (await finished).headersArray()), ...(await (await started).headersArray())]
    .filter(({ name, value }) => name.toLowerCase() === 'set-cookie' && !/^[^=]*=;/.test(value))
    .map(({ value }) => `Set-Cookie: ${value.replace(/=[^;]+/, '=•••')}`)
  assert.equal(lines.length, 2)
  await at(page, 'set-cookie').last().waitFor()
  await page.waitForFunction(
    ([wanted]) => document.querySelector('[data-testid="cookies"]')?.textContent?.includes(wanted ?? ''),
    [lines[1]],
  )
  assert.deepEqual(await at(page, 'set-cookie').allTextContents(), lines)
  assert.match(await readText(page, 'cookies'), /HttpOnlyno script can read it/)
  const [session] = await cookies()
  assert.ok(session !== undefined && !(await page.content()).includes(session.value))
})

test('the picture of a sign-in has the arrows of what happened, in their order', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  const arrows = await waitForArrows(page, 'GET /auth/session')
  assert.deepEqual(without(arrows, 'jwks'), [
    'browser > bff GET /auth/start',
    'bff > browser 200 + transaction cookie',
    'browser > oten GET /v1/oauth/authorize + request object',
    'oten > browser 303',
    'browser > oten GET /sign-in/{id}',
    'oten > browser 200',
    'browser > oten POST /sign-in/{id}',
    'oten > browser 303',
    'browser > oten GET /v1/oauth/authorize/{id}',
    'oten > browser 303',
    'browser > bff GET /auth/callback + code + transaction cookie',
    'bff > oten POST /v1/oauth/token + code + client secret',
    'oten > bff 200',
    'bff > browser 303 + session cookie',
    'browser > bff GET /auth/session + session cookie',
    'bff > browser 200',
  ])
  const parties = await at(page, 'sequence').locator('[data-party]').allTextContents()
  assert.deepEqual(parties, ['Browser', 'oten-bff', 'Oten'])

  await page.getByText('The same as a list').click()
  const list = await at(page, 'sequence-list').locator('li').allTextContents()
  assert.equal(list.length, arrows.length)
  assert.ok(list.some((line) => /^Browser → oten-bffGET \/auth\/callback\?code=•••&state=•••&iss=/.test(line)))
  assert.ok(list.some((line) => /token.*Authorization: Basic •••.*code_verifier=•••/.test(line)))
})

test('the picture of an API call shows that the API gets a token where the browser sent a cookie', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await at(page, 'call-api').click()
  const arrows = await waitForArrows(page, 'GET /api/demo/hello') // The newest is drawn by itself.
  assert.deepEqual(without(arrows, 'well-known'), [
    'browser > bff GET /api/demo/hello + session cookie',
    'bff > api GET /hello + token',
    'api > oten GET /v1/oauth/userinfo + token',
    'oten > api 200',
    'api > bff 200',
    'bff > browser 200',
  ])
  await page.getByText('The same as a list').click()
  const list = (await at(page, 'sequence-list').locator('li').allTextContents()).join('\n')
  assert.match(list, /Browser → oten-bffGET \/api\/demo\/helloCookie: oten_session=•••/)
  assert.match(list, /oten-bff → APIGET \/helloAuthorization: Bearer •••/)
})

test('the picture of a sign-out goes over the IdP and back', async (t) => {
  const { page } = await open(t)
  await signIn(page, demo, 'ada')
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
  const arrows = await waitForArrows(page, 'GET /auth/logged-out')
  const wanted = [
    'browser > bff POST /auth/logout + session cookie',
    'bff > oten POST /v1/oauth/revoke + client secret',
    'browser > bff GET /auth/logout/continue',
    'browser > oten GET /v1/oauth/logout + ID token',
    'oten > bff POST /auth/backchannel-logout',
    'browser > bff GET /auth/logged-out',
  ]
  assert.deepEqual([...new Set(arrows.filter((arrow) => wanted.includes(arrow)))], wanted)
})

test("a phone's sign-in is drawn with the app, which redeems the code itself", async (t) => {
  const { page } = await open(t)
  const { page: phone } = await open(t)
  await page.goto(`${demo.spa}/`)
  await at(page, 'journey-sign-in').check()
  await signInOnPhone(phone, demo, 'ada')
  const arrows = await waitForArrows(page, 'POST /auth/handoff')
  assert.equal(arrows[0], 'browser > bff GET /auth/start')
  assert.ok(arrows.indexOf('app > bff POST /auth/handoff') > arrows.indexOf('oten > bff 200'))
  assert.ok(arrows.includes('bff > app 200 + session cookie'))
  await at(page, 'journey-all').check()
  const all = at(page, 'sequence').locator('svg .arrow[data-label="GET /auth/events"]')
  await all.first().waitFor() // Which belongs to no journey, and is not over.
})

test('of two sign-ins at a time, only one is in the picture', async (t) => {
  const { page } = await open(t)
  const { page: other } = await open(t)
  for (const each of [page, other]) {
    await each.goto(`${demo.spa}/`)
    await at(each, 'sign-in').click()
    await each.locator('input[name="login"]').waitFor()
  }
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  await passIdp(other, 'grace')
  await waitForState(other, 'signed-in')
  const arrows = await waitForArrows(other, 'GET /auth/session')
  for (const once of ['GET /auth/start', 'GET /auth/callback', 'POST /sign-in/{id}', 'POST /v1/oauth/token']) {
    assert.equal(arrows.filter((arrow) => arrow.includes(once)).length, 1, once)
  }
})
