import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { buildService } from '../plugins/build-service.ts'

test('contract §5: a stream on which nothing happens says so every 20 s, so that no proxy on the way closes it, and no longer than it is open', async (t) => {
  const service = await buildService(t)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = service.app.server.address() as AddressInfo
  t.mock.timers.enable({ apis: ['setInterval'] })
  const cookie = `${service.cookieName}=${await service.plant()}`
  const sent = request({ port, host: '127.0.0.1', path: '/auth/events', headers: { cookie }, agent: false }).end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  assert.match(String((await once(response, 'data'))[0]), /^event: session\n/)
  for (let round = 0; round < 3; round++) {
    t.mock.timers.tick(19_999)
    const heard = once(response, 'data')
    t.mock.timers.tick(1)
    assert.deepEqual(await heard, [':\n\n']) // A comment (HTML Standard §9.2.5).
  }
  const left = once(sent, 'close')
  sent.destroy()
  await left
  t.mock.timers.tick(60_000) // Nothing is written to what is gone.
  assert.ok(!service.entries().some(({ event }) => event === 'failed'))
})
