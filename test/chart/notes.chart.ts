import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { chartFolder, run, scenarios, valuesFile } from './chart.ts'
import { assertGolden } from './golden.ts'
import { buildSetFileArgs, createSecretTexts } from './secret-files.ts'
import { findTools } from './tools.ts'

const texts = createSecretTexts()

/** What Helm says after an install; nothing is installed. */
async function renderNotes(t: TestContext, scenario: string, ...args: readonly string[]): Promise<string> {
  const files = scenario === 'secret-from-files' ? buildSetFileArgs(t, texts) : []
  const command = ['install', 'login', chartFolder, '-n', 'portal', '--dry-run=client', '-f', valuesFile(scenario)]
  const { code, stdout, stderr } = await run(findTools().helm, [...command, ...files, ...args])
  assert.equal(code, 0, stderr)
  return stdout.slice(stdout.lastIndexOf('\nNOTES:\n') + 1)
}

for (const scenario of scenarios) {
  test(`scenario ${scenario}: the notes are the expected ones, and show no secret`, async (t) => {
    const notes = await renderNotes(t, scenario)
    assertGolden(`${scenario}.notes.txt`, notes)
    for (const text of Object.values(texts)) assert.ok(!notes.includes(text))
  })
}

test('the notes name the exact URIs to register with Oten', async (t) => {
  const notes = await renderNotes(t, 'minimal')
  for (const path of ['callback', 'logged-out', 'backchannel-logout', 'jwks.json']) {
    assert.ok(notes.includes(`https://app.acme.test/auth/${path}\n`), path)
  }
})

test('the notes name no URI that is not in use', async (t) => {
  const notes = await renderNotes(t, 'hs256')
  assert.doesNotMatch(notes, /jwks\.json|backchannel-logout/)
  const elsewhere = 'https://www.acme.test/bye'
  const moved = await renderNotes(t, 'minimal', '--set', `oten.postLogoutRedirectUri=${elsewhere}`)
  assert.ok(moved.includes(elsewhere))
  assert.doesNotMatch(moved, /auth\/logged-out/)
})

test('the notes warn of what is open: no proxy that is trusted, no policy, one replica', async (t) => {
  assert.match(await renderNotes(t, 'minimal'), /trustedProxies is empty/)
  assert.match(await renderNotes(t, 'memory'), /networkPolicy\.enabled is false: whoever reaches a pod's port 8081/)
  assert.match(await renderNotes(t, 'minimal'), /one replica, and a short gap at each upgrade/)
  assert.doesNotMatch(
    await renderNotes(t, 'sidecar'),
    /trustedProxies|networkPolicy\.enabled|one replica|Nothing routes/,
  )
})
