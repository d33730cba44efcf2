import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ProxyKind } from '../examples/proxies.ts'
import { until } from '../support/until.ts'
import { openBehindNginx, withBuffering } from './nginx.ts'

/** An event stream, and what has arrived of it. */
function listen(t: TestContext, url: string, cookie: string) {
  const abort = new AbortController()
  t.after(() => abort.abort())
  let arrived = ''
  let isOver = false
  const read = async (): Promise<void> => {
    const { body } = await fetch(`${url}/auth/events`, { headers: { cookie }, signal: abort.signal })
    for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) arrived += part
  }
  const end = (): void => {
    isOver = true
  }
  read().then(end, end)
  return { arrived: () => arrived, isOver: () => isOver }
}

/** Somebody who signs in through the proxy, and listens through it and past it. */
async function openListener(t: TestContext, nginx: ProxyKind) {
  const { world, direct } = await openBehindNginx(t, nginx)
  const browser = world.browser()
  await browser.signIn('ada')
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  return { browser, proxied: listen(t, world.publicUrl, cookie), direct: listen(t, direct, cookie) }
}

const countViews = ({ arrived }: { readonly arrived: () => string }): number =>
  arrived().split('event: session\n').length - 1

test('an nginx that is told to buffer event streams holds them back to their end; by default it holds back none', async (t) => {
  const held = await openListener(t, withBuffering('proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering;'))
  await until(() => countViews(held.direct) === 1)
  assert.equal((await held.browser.fetch('/auth/refresh', { method: 'POST' })).status, 200)
  await until(() => countViews(held.direct) === 2) // The service has said it.
  assert.equal((await held.browser.session()).authenticated, true) // Polling goes through.
  assert.equal(held.proxied.arrived(), '')
  await held.browser.fetch('/auth/logout', { method: 'POST' })
  await until(() => held.proxied.isOver())
  assert.match(held.proxied.arrived(), /event: session\n.*event: session\n.*event: ended\n/s)

  const cured = await openListener(t, withBuffering('proxy_http_version 1.0; gzip on; gzip_types text/event-stream;'))
  await until(() => countViews(cured.proxied) === 1)
  await cured.browser.fetch('/auth/refresh', { method: 'POST' })
  await until(() => countViews(cured.proxied) === 2)
  assert.equal(cured.proxied.isOver(), false)
})
