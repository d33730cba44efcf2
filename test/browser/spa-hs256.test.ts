import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemo } from './demo-process.ts'
import { at, passIdp, readText, setUp, waitForState } from './support.ts'

const { demo, open } = await setUp(() => startDemo({ DEMO_JAR_ALG: 'HS256' }))

test('with HS256 a user signs in, calls the API and signs out, and the panel says that no page can verify it', async (t) => {
  const { page } = await open(t)
  await page.goto(`${demo.spa}/`)
  const asked = page.waitForRequest((request) => request.url().startsWith(`${demo.simulator}/`))
  await at(page, 'sign-in').click()
  const [header = ''] = (new URL((await asked).url()).searchParams.get('request') ?? '').split('.')
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'HS256')

  await passIdp(page, 'ada')
  await waitForState(page, 'signed-in')
  assert.match(await readText(page, 'signature'), /HS256/)
  await at(page, 'call-api').click()
  assert.match(await readText(page, 'api-result'), /Hello Ada\. No cookie arrived\./)
  await at(page, 'sign-out').click()
  await waitForState(page, 'signed-out')
})
