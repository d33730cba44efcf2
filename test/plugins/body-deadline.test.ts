import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createWorld, getFreePort, type World } from '../support/world.ts'

const build = async (t: TestContext): Promise<World> =>
  createWorld(t, {
    bodyTimeoutMs: 200,
    env: { API_ROUTES: `/api/x=http://127.0.0.1:${await getFreePort()}`, ADMIN_TOKEN: 'a'.repeat(32) },
  })

/** Says that five octets follow, and sends one. */
function begin(t: TestContext, url: string, path: string, headers = ''): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname === 'localhost' ? '127.0.0.1' : hostname)
  t.after(() => socket.destroy())
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nsec-fetch-site: same-origin\r\n`
  socket.write(`${head}${headers}content-length: 5\r\n\r\n{`)
  return socket.resume()
}

test('a body that does not end is given up, on either listener, and nothing of the service is held by it', async (t) => {
  const world = await build(t)
  for (const [url, path, headers] of [
    [world.publicUrl, '/auth/logout', ''],
    [world.publicUrl, '/auth/handoff', ''],
    [world.adminUrl, '/admin/sessions/end', `authorization: Bearer ${'a'.repeat(32)}\r\n`],
  ] as const) {
    await once(begin(t, url, path, headers), 'close', { signal: AbortSignal.timeout(5000) })
  }
  assert.equal(world.events('refused').filter(({ reason }) => reason === 'the body did not end in time').length, 3)
  assert.equal((await world.browser().fetch('/auth/session')).status, 200)
})

test('a body that comes in time is read, and the connection goes on', async (t) => {
  const world = await build(t)
  const socket = begin(t, world.publicUrl, '/auth/logout')
  const answers: string[] = []
  socket.on('data', (chunk: Buffer) => answers.push(chunk.toString()))
  socket.write('   }')
  await once(socket, 'data')
  assert.match(answers.join(''), /^HTTP\/1\.1 303 /)
  const later = once(socket, 'data', { signal: AbortSignal.timeout(5000) })
  await new Promise((resolve) => setTimeout(resolve, 300)) // Past the limit: it must have been lifted.
  socket.write('GET /auth/session HTTP/1.1\r\nhost: x\r\nsec-fetch-site: same-origin\r\n\r\n')
  await later
  assert.match(answers.at(-1) ?? '', /"authenticated":false/)
})
