import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startExample } from '../client/example-stage.ts'
import { passIdp, setUp } from './support.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const DIFF = pathOf('examples/spa-vanilla/add-login.diff')
const LINES_MAX = 10

const folder = mkdtempSync(join(tmpdir(), 'oten-bff-plain-'))
after(() => rmSync(folder, { recursive: true }))

/** The app as it was, with the change, and with what `npm install` would bring. */
function changePlainApp(serviceUrl: string): string {
  cpSync(pathOf('test/client/plain-app'), folder, { recursive: true })
  execFileSync('git', ['apply', DIFF], { cwd: folder })
  symlinkSync(pathOf('node_modules'), join(folder, 'node_modules'))
  const config = join(folder, 'vite.config.js')
  const [before, changed] = [readFileSync(config, 'utf8'), 'http://localhost:8080']
  assert.ok(before.includes(changed))
  writeFileSync(config, before.replaceAll(changed, serviceUrl))
  return folder
}

const { demo, open } = await setUp(() => startExample({ findProject: changePlainApp, isBuilt: true }))

test(`a sign-in is added to a Vite app by ${LINES_MAX} lines or fewer, blank ones included`, () => {
  const lines = readFileSync(DIFF, 'utf8').split('\n')
  const changed = lines.filter((line) => /^[+-]/.test(line) && !/^(\+\+\+|---) /.test(line))
  assert.ok(changed.length > 0 && changed.length <= LINES_MAX, changed.join('\n'))
})

test('the app with those lines, built and served, signs in and out', async (t) => {
  const { page, cookies } = await open(t)
  const button = (name: string) => page.getByRole('button', { name, exact: true })
  await page.goto(`${demo.spa}/`)
  await button('Sign in').click()
  await passIdp(page, 'ada')
  await button('Sign out Ada').waitFor()
  assert.equal((await cookies()).length, 1)
  await button('Sign out Ada').click()
  await button('Sign in').waitFor()
  assert.deepEqual(await cookies(), [])
  await button('0').click()
  await button('1').waitFor() // What the app did before, it still does.
})
