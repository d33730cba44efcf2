import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startPieces } from './pieces.ts'
import { at, passIdp, readText, setUp, waitForState } from './support.ts'
import { waitForArrows } from './tour-support.ts'

const { demo, open } = await setUp(startPieces)

/** All that script on a page can read without asking the service again. */
const readEverything = (page: Page): Promise<string> =>
  page.evaluate(async () =>
    JSON.stringify([
      document.cookie,
      { ...localStorage },
      { ...sessionStorage },
      await indexedDB.databases(),
      await caches.keys(),
      history.state,
      location.href,
      document.documentElement.outerHTML,
      performance.getEntries().map(({ name }) => name),
    ]),
  )

/** Keeps all that answers tell script of the page, event streams included. */
async function collectAnswers(page: Page): Promise<string[]> {
  const answers: string[] = []
  await page.exposeFunction('tellTest', (text: string) => void answers.push(text))
  await page.addInitScript(() => {
    const { fetch: own, tellTest } = window as typeof window & { tellTest(text: string): Promise<void> }
    const tellAsItComes = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
      const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader()
      for (let part = await reader.read(); !part.done; part = await reader.read()) await tellTest(part.value)
    }
    window.fetch = async (...request) => {
      const answer = await own(...request)
      const { body, headers } = answer.clone()
      const isEndless = headers.get('content-type')?.startsWith('text/event-stream')
      const told = body === null ? Promise.resolve() : tellAsItComes(body)
      if (isEndless) told.catch(() => undefined)
      else await told // Before the page hears of it and navigates away.
      return answer
    }
  })
  const devtools = await page.context().newCDPSession(page)
  devtools.on('Network.eventSourceMessageReceived', ({ data }) => answers.push(data))
  await devtools.send('Network.enable')
  return answers
}

/** Fails when a secret is in a text, or what looks like one. The one JWT for pages is the request object, which browsers carry. */
function assertSecret(secrets: readonly string[], seen: readonly string[]): void {
  for (const secret of secrets) assert.ok(secret.length >= 20, 'the test knows what it looks for')
  for (const text of seen) {
    for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 200))
    const withoutRequestObject = text.replaceAll(/(request=|"requestObject": ?")eyJ[\w.-]+/g, '')
    assert.doesNotMatch(withoutRequestObject, /eyJ[\w-]+\.[\w-]+\.|"(access|refresh|id|session)_token"/)
  }
}

const assertSeen = (seen: readonly string[], parts: readonly string[]): void => {
  for (const part of parts) assert.ok(seen.join('\n').includes(part), `the test has seen ${part}`)
}

/** Values of these parameters in all that a page navigates to, from now on. */
function listValues(page: Page, ...names: string[]): string[] {
  const values: string[] = []
  page.on('request', (request) => {
    const { searchParams } = new URL(request.url())
    if (request.isNavigationRequest()) values.push(...names.flatMap((name) => searchParams.getAll(name)))
  })
  return values
}

test('no token and no credential comes within reach of script, from sign-in to sign-out', async (t) => {
  const { page, cookies } = await open(t)
  const answers = await collectAnswers(page)
  await page.goto(`${demo.spa}/`)
  await at(page, 'sign-in').click()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  await at(page, 'call-api').click()
  await readText(page, 'api-result')
  const [session] = await cookies()
  const seen = [await readEverything(page)]

  const atIdp = page.waitForRequest((request) => request.url().startsWith(`${demo.simulator}/`))
  await at(page, 'sign-out').click()
  const idToken = new URL((await atIdp).url()).searchParams.get('id_token_hint') ?? ''
  await waitForState(page, 'signed-out')
  seen.push(await readEverything(page), ...answers)

  const [accessToken = ''] = demo.accessTokens
  assertSecret([accessToken, idToken, session?.value ?? ''], seen)
  assertSeen(seen, ['"authorization_url"', '"user"', '"Hello Ada', '"logout_url"', '"idle_expires_in"'])
})

test('what is under the hood has no secret in it: not of the browser, of the phone, or of the servers', async (t) => {
  const { page, cookies } = await open(t)
  const { page: phone } = await open(t)
  const answers = await collectAnswers(page)
  await page.goto(`${demo.spa}/`)
  const values = listValues(page, 'code', 'state', 'id_token_hint', 'ticket')
  const ofPhone = listValues(phone, 'code', 'state', 'code_challenge')
  await at(page, 'sign-in').click()
  await page.locator('input[name="login"]').waitFor()
  const [transaction] = await cookies()
  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  const [session] = await cookies()

  await phone.goto(`${demo.phone}/`)
  await at(phone, 'mode-token').check()
  await at(phone, 'sign-in').click()
  await passIdp(phone, 'ada')
  await waitForState(phone, 'signed-in')
  await at(phone, 'call-api').click()
  await readText(phone, 'api-result')
  const kept = await phone.evaluate(() => sessionStorage.getItem('session') ?? '')
  const { token: sessionToken } = JSON.parse(kept) as { token: string }

  await at(page, 'journey-all').check()
  await waitForArrows(page, 'POST /auth/handoff')
  const seen = [await readEverything(page)]
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
  await waitForArrows(page, 'GET /auth/logged-out')
  seen.push(await readEverything(page), ...answers)

  const ofCookies = [transaction?.value ?? '', session?.value ?? '']
  const known = [demo.clientSecret, sessionToken, ...ofCookies, ...demo.accessTokens]
  const secrets = [...known, ...values, ...ofPhone]
  assert.ok(values.length >= 4 && ofPhone.length >= 4, 'the test knows what travelled')
  // What a page itself was told to carry on: its own sign-out.
  const others = seen.filter((text) => !text.includes('"logout_url"'))
  assertSecret(secrets, others)
  assertSeen(others, ['oten_session=•••', 'code=•••&state=•••', 'Authorization: Bearer •••', 'requestObject'])
})
