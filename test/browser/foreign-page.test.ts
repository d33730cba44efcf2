import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { startDemo } from './demo-process.ts'
import { askFromPage, at, passIdp, readSession, setUp, signIn, waitForState } from './support.ts'

const { demo, open } = await setUp(startDemo)

/** A page of someone else's, with nothing in its way but the browser and the service. */
const server = createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,"><p>Not yours')
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
after(() => void server.close().closeAllConnections())
const { port } = server.address() as AddressInfo // Listening on TCP, so not a path.

/** Same site: another port, so that a `Strict` cookie is sent along. Cross site: another host. */
const PLACES = { 'same-site': `http://localhost:${port}/`, 'cross-site': `http://127.0.0.1:${port}/` } as const

/** What the browser says on the console about all that it blocks here. */
const expected = [/blocked by CORS policy/, /Failed to load resource/, /Refused to (display|frame)|Framing/]

for (const [place, foreignUrl] of Object.entries(PLACES)) {
  test(`a foreign ${place} page can neither read the session nor call the API`, async (t) => {
    const { page } = await open(t, { expected })
    await signIn(page, demo, 'ada')
    await page.goto(foreignUrl)
    for (const path of ['/auth/session', '/auth/session?touch=true', '/api/demo/hello', '/auth/start']) {
      assert.equal(await askFromPage(page, demo.bff + path), 'blocked', path)
      assert.equal(await askFromPage(page, demo.bff + path, { mode: 'no-cors' }), 'blocked', path)
    }
  })

  test(`a foreign ${place} page cannot sign the user out`, async (t) => {
    const visitor = await open(t, { expected })
    const { page } = visitor
    await signIn(page, demo, 'ada')
    await page.goto(foreignUrl)
    const logout = `${demo.bff}/auth/logout`
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    const form = { method: 'POST', body: `return_to=${demo.spa}`, mode: 'no-cors' } as const
    assert.equal(await askFromPage(page, logout, json), 'blocked')
    assert.equal(await askFromPage(page, logout, { method: 'POST' }), 'blocked')
    await askFromPage(page, logout, form)

    const answered = page.waitForResponse(logout)
    const arrived = page.waitForURL(logout) // Or the next navigation would come in the way of this one.
    await page.evaluate((action) => {
      const sent = Object.assign(document.createElement('form'), { action, method: 'post' })
      document.body.append(sent)
      sent.submit()
    }, logout)
    assert.equal((await answered).status(), 403)
    await arrived
    assert.equal((await readSession(visitor, demo)).authenticated, true)
    await page.goto(`${demo.spa}/`)
    await waitForState(page, 'signed-in')
  })

  test(`a foreign ${place} page cannot start a sign-in by fetch, image or frame`, async (t) => {
    const { page, cookies } = await open(t, { expected })
    await page.goto(foreignUrl)
    const start = `${demo.bff}/auth/start`
    assert.equal(await askFromPage(page, start), 'blocked')
    assert.equal(await askFromPage(page, `${start}?response=json`, { mode: 'no-cors' }), 'blocked')
    for (const tag of ['img', 'iframe'] as const) {
      await page.evaluate(
        ([name, src]) =>
          new Promise((resolve) => {
            const element = Object.assign(document.createElement(name), { src, onload: resolve, onerror: resolve })
            document.body.append(element)
          }),
        [tag, start] as const,
      )
    }
    assert.deepEqual(await cookies(), [])
  })

  test(`a link on a foreign ${place} page starts a sign-in that the user sees, and it completes`, async (t) => {
    const { page } = await open(t)
    await page.goto(foreignUrl)
    await page.evaluate(
      (href) => void document.body.append(Object.assign(document.createElement('a'), { href, textContent: 'sign in' })),
      `${demo.bff}/auth/start?return_to=${encodeURIComponent(`${demo.spa}/`)}`,
    )
    await page.getByText('sign in').click()
    await passIdp(page, 'ada')
    await waitForState(page, 'signed-in')
    assert.equal(await at(page, 'user-sub').textContent(), 'ada')
  })
}
