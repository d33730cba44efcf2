import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startPieces } from './pieces.ts'
import { at, passIdp, readText, setUp, waitForState } from './support.ts'

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
    window.fetch = async (...request) => {
      const answer = await own(...request)
      await tellTest(await answer.clone().text()) // Before the page hears of it and navigates away.
      return answer
    }
  })
  const devtools = await page.context().newCDPSession(page)
  devtools.on('Network.eventSourceMessageReceived', ({ data }) => answers.push(data))
  await devtools.send('Network.enable')
  return answers
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
  const secrets = [accessToken, idToken, session?.value ?? '']
  for (const secret of secrets) assert.ok(secret.length >= 32, 'the test knows what it looks for')
  for (const part of ['"authorization_url"', '"user"', '"Hello Ada', '"logout_url"', '"idle_expires_in"']) {
    assert.ok(
      seen.some((text) => text.includes(part)),
      `the test has seen ${part}`,
    )
  }
  for (const text of seen) {
    for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 200))
    // The one JWT that script sees is the request object, which the browser is to carry.
    const withoutRequestObject = text.replaceAll(/request=eyJ[\w.-]+/g, '')
    assert.doesNotMatch(withoutRequestObject, /eyJ[\w-]+\.[\w-]+\.|"(access|refresh|id|session)_token"/)
  }
})
