import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { buildService, type Service } from './build-service.ts'

async function listen(t: TestContext): Promise<{ service: Service; port: number }> {
  const service = await buildService(t)
  await service.app.listen({ host: '127.0.0.1', port: 0 })
  return { service, port: (service.app.server.address() as AddressInfo).port }
}

/** Sends octets as they are; all that came back until the other side closed. */
async function send(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', () => {}) // A reset is a way to close.
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return answer
}

const HOST = 'Host: bff.example.com\r\nCookie: canary=canary\r\n'
const MALFORMED: Readonly<Record<string, string>> = {
  'no HTTP at all': 'canary\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03canary\r\n\r\n',
  'an unknown method': `CANARY /auth/session HTTP/1.1\r\n${HOST}\r\n`,
  'an unknown version': `GET /auth/session HTTP/9.9\r\n${HOST}\r\n`,
  'HTTP/2 without negotiation': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a space in the target': `GET /auth/ses sion HTTP/1.1\r\n${HOST}\r\n`,
  'a NUL in the target': `GET /auth/\0 HTTP/1.1\r\n${HOST}\r\n`,
  'a header without a colon': `GET /auth/session HTTP/1.1\r\n${HOST}canary\r\n\r\n`,
  'a header name with a space': `GET /auth/session HTTP/1.1\r\n${HOST}can ary: 1\r\n\r\n`,
  'a control character in a value': `GET /auth/session HTTP/1.1\r\n${HOST}A: \x01canary\r\n\r\n`,
  'headers of 20 kB': `GET /auth/session HTTP/1.1\r\n${HOST}A: ${'canary'.repeat(3500)}\r\n\r\n`,
  'a target of 20 kB': `GET /auth/${'canary'.repeat(3500)} HTTP/1.1\r\n${HOST}\r\n`,
  'a length that is no number': `POST /auth/handoff HTTP/1.1\r\n${HOST}Content-Length: canary\r\n\r\n`,
  'a negative length': `POST /auth/handoff HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`,
  'two lengths': `POST /auth/handoff HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
  'a length and chunks': `POST /auth/handoff HTTP/1.1\r\n${HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'an encoding that only ends in chunks': `POST /auth/handoff HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, canary\r\n\r\n0\r\n\r\n`,
  'a chunk size that is no number': `POST /auth/handoff HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\ncanary\r\n`,
}

for (const [what, text] of Object.entries(MALFORMED)) {
  test(`ER-07, ER-01: ${what} is answered in the one shape and closed, or just closed, and the service lives`, async (t) => {
    const { service, port } = await listen(t)
    const answer = await send(port, text)
    assert.doesNotMatch(answer, /canary/)
    if (answer !== '') {
      const [head = '', body = ''] = answer.split('\r\n\r\n')
      assert.match(head, /^HTTP\/1\.1 4\d\d /)
      for (const line of [
        /^cache-control: no-store$/im,
        /^x-content-type-options: nosniff$/im,
        /^referrer-policy: no-referrer$/im,
        /^strict-transport-security: max-age=31536000; includeSubDomains$/im,
        /^content-type: application\/json; charset=utf-8$/im,
        /^connection: close$/im,
      ]) {
        assert.match(head, line)
      }
      const error = JSON.parse(body) as Record<string, string>
      assert.deepEqual(Object.keys(error).sort(), ['error', 'error_description', 'error_id'])
      assert.ok(
        service.entries().some(({ request_id: id }) => id === error.error_id),
        'the id is in the log',
      )
    }
    assert.doesNotMatch(service.logs.join(''), /canary(?!"?,"origin)/i)
    assert.match(
      await send(port, `GET /auth/session HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
      /"authenticated":false/,
    )
  })
}

test('ER-07: without a Host (RFC 9112 §3.2) it is 400, and the connection ends', async (t) => {
  const { port } = await listen(t)
  assert.match(await send(port, 'GET /auth/session HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test('ER-07: what follows a good request on its connection is not read into it', async (t) => {
  const { port } = await listen(t)
  const good = 'GET /auth/session HTTP/1.1\r\nHost: a\r\n\r\n'
  const answer = await send(port, `${good}canary\r\n\r\n`)
  assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1)
})

test('ER-07: an expectation that nobody understands is ignored, and the answer has all its headers', async (t) => {
  const { port } = await listen(t)
  const answer = await send(
    port,
    'GET /auth/session HTTP/1.1\r\nHost: a\r\nExpect: canary\r\nConnection: close\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 200 /)
  assert.match(answer, /^cache-control: no-store$/im)
})

test('PX-02: a target in absolute form reaches our own routes alone, and no API', async (t) => {
  const { service, port } = await listen(t)
  const [, cookie] = [service.cookieName, await service.plant()]
  const ask = (target: string) =>
    send(
      port,
      `GET ${target} HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\nCookie: ${service.cookieName}=${cookie}\r\nConnection: close\r\n\r\n`,
    )
  assert.match(await ask('http://evil.example/api/x'), /^HTTP\/1\.1 400 /)
  assert.match(await ask('http://evil.example/auth/session'), /"authenticated":true/)
})
