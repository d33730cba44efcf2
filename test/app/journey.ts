import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { SessionKind } from '../../examples/expo/protocol/sign-in.ts'
import { type Fault, startFaultyProxy } from '../examples/faulty-proxy.ts'
import { startApi } from '../support/api.ts'
import { createBrowser } from '../support/browser.ts'
import { createWorld, DEEP_LINK, getFreePort } from '../support/world.ts'

/** What an app is started with. `vault`: a file that outlives it, as the key store of the system does. */
export interface Start {
  readonly url: string
  readonly app: string
  readonly deepLink: string
  readonly vault: string
}

/** An app without its screen: the example's own flow, which does one thing after the other. */
export interface Program {
  /** `begin cookie|token`, `link LINK`, `view`, `refresh`, `api PATH`, `sign-out`. */
  obey(command: string): Promise<Record<string, unknown>>
  /** Ends it as the system ends an app: at once. */
  end(): Promise<void>
}

export interface Example {
  readonly start: (start: Start) => Promise<Program>
  /** Where the system's browser is a sheet of the app, both end together, and nobody waits for the link any more. */
  readonly survivesSignIn: boolean
  /** Whether the HTTP client keeps its cookies when the app ends. */
  readonly keepsCookies: boolean
  /** Takes out of the answers what the HTTP client cannot bear. */
  readonly change?: Fault
}

/** From the first start of an app to its sign-out, against the real service; its user closes and opens the app in between. */
export async function playJourney(t: TestContext, example: Example, kind: SessionKind): Promise<void> {
  const { publicUrl, start } = await open(t, example)
  const keeps = kind === 'token' || example.keepsCookies
  let app = await start()
  assert.deepEqual(await app.obey('view'), { sub: null })
  const link = await passBrowser(publicUrl, await begin(app, kind))
  assert.deepEqual(await app.obey(`link ${DEEP_LINK}?code=of-somebody-else&state=of-somebody-else`), { foreign: true })
  if (example.survivesSignIn) app = await start()
  assert.deepEqual(await app.obey(`link ${link}`), { sub: 'ada' })
  assert.deepEqual(await app.obey(`link ${link}`), { foreign: true }, 'one answer for each sign-in')
  if (keeps) app = await start()
  assert.deepEqual(await app.obey('view'), { sub: 'ada' })
  assert.deepEqual(await app.obey('refresh'), { sub: 'ada' })
  assert.deepEqual(await app.obey('api /api/orders'), { answer: {} })
  const { url } = await app.obey('sign-out')
  assert.ok(String(url).startsWith(`${publicUrl}/auth/logout/continue?ticket=`), String(url))
  assert.deepEqual(await app.obey('view'), { sub: null })
  assert.deepEqual(await app.obey('refresh'), { failure: 'unauthenticated' })
  app = await start()
  assert.deepEqual(await app.obey('view'), { sub: null })
}

/** A sign-in that comes to nothing, a session that ends by itself, and a service that cannot be reached. */
export async function playMishaps(t: TestContext, example: Example, kind: SessionKind): Promise<void> {
  const { publicUrl, world, start } = await open(t, example)
  const keeps = kind === 'token' || example.keepsCookies
  let app = await start()
  const denied = await passBrowser(publicUrl, await begin(app, kind), 'deny')
  assert.deepEqual(await app.obey(`link ${denied}`), { failure: 'access_denied' })
  assert.deepEqual(await app.obey('view'), { sub: null })

  const signIn = async (): Promise<void> => {
    const link = await passBrowser(publicUrl, await begin(app, kind))
    assert.deepEqual(await app.obey(`link ${link}`), { sub: 'ada' })
  }
  await signIn()
  if (keeps) {
    const nowhere = `http://127.0.0.1:${await getFreePort()}`
    app = await start(nowhere)
    assert.deepEqual(await app.obey('view'), { failure: 'network' }, 'nobody is signed out for want of a network')
    app = await start()
    assert.deepEqual(await app.obey('view'), { sub: 'ada' })
    app = await start(nowhere)
    assert.deepEqual(await app.obey('sign-out'), { failure: 'network' })
    app = await start()
    assert.deepEqual(await app.obey('view'), { sub: null }, 'a sign-out needs no network')
    await signIn()
  }
  assert.deepEqual(await app.obey('view'), { sub: 'ada' })
  const late = await passBrowser(publicUrl, await begin(app, kind))
  world.advance(61)
  assert.deepEqual(await app.obey(`link ${late}`), { failure: 'invalid_grant' })
  assert.deepEqual(await app.obey('view'), { sub: 'ada' }, 'the session of before is still there')
  world.advance(7_776_001)
  assert.deepEqual(await app.obey('refresh'), { failure: 'unauthenticated' })
  assert.deepEqual(await app.obey('view'), { sub: null })
}

async function open(t: TestContext, example: Example) {
  const api = await startApi(t)
  const port = await getFreePort()
  const publicUrl = `http://localhost:${port}`
  const world = await createWorld(t, {
    client: { redirectUris: [`${publicUrl}/auth/callback`], postLogoutRedirectUris: [`${publicUrl}/auth/logged-out`] },
    env: { PUBLIC_URL: publicUrl, API_ROUTES: `/api/orders=${api.url}` },
  })
  await startFaultyProxy(t, port, world.publicUrl, example.change ?? ((asked, pass) => pass(asked)))
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-app-'))
  let running: Program | undefined
  const end = async (): Promise<void> => running?.end()
  t.after(async () => {
    await end()
    rmSync(folder, { recursive: true, force: true })
  })
  /** Ends the app where it runs, and starts it again. */
  const start = async (url = publicUrl): Promise<Program> => {
    await end()
    running = await example.start({ url, app: 'android', deepLink: DEEP_LINK, vault: join(folder, 'vault') })
    return running
  }
  return { publicUrl, world, start }
}

async function begin(app: Program, kind: SessionKind): Promise<string> {
  const { url } = await app.obey(`begin ${kind}`)
  assert.equal(typeof url, 'string')
  return String(url)
}

/** @returns the deep link that the system's browser is sent to */
async function passBrowser(publicUrl: string, url: string, action: 'allow' | 'deny' = 'allow'): Promise<string> {
  const browser = createBrowser(publicUrl)
  const { status, location } = await browser.navigate(url)
  assert.equal(status, 303)
  const returned = await browser.navigate(await browser.passIdp(String(location), 'ada', action))
  return String(returned.location)
}
