import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CANARIES, PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { parseAnswers, sendRaw } from './raw.ts'

interface Reached {
  readonly line: string
  readonly headers: readonly string[]
  readonly body: string
}

async function build(t: TestContext) {
  const reached: Reached[] = []
  const proxy = await buildProxy(t, (incoming, answer) => {
    let body = ''
    incoming.setEncoding('latin1').on('data', (chunk) => {
      body += chunk
    })
    incoming.on('end', () => {
      reached.push({ line: `${incoming.method} ${incoming.url}`, headers: incoming.rawHeaders, body })
      answer.end('{}')
    })
  })
  const mine = `Cookie: ${proxy.mine.cookie}\r\nOrigin: ${PUBLIC_URL}\r\n`
  return { ...proxy, reached, mine }
}

const HIDDEN = 'GET /api/x/hidden HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer hidden\r\n\r\n'

/** Heads whose end, or whose body's end, two readers see in two places. `MINE` stands for cookie and origin. */
const AMBIGUOUS: Readonly<Record<string, string>> = {
  'a length before chunks': `MINEContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunks before a length': `MINETransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n`,
  'two lengths': `MINEContent-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n\r\n`,
  'two lengths in one': `MINEContent-Length: 0, ${HIDDEN.length}\r\n\r\n`,
  'a length with a plus': `MINEContent-Length: +0\r\n\r\n`,
  'a length with a space in it': `MINEContent-Length: 1 2\r\n\r\n`,
  'a hexadecimal length': `MINEContent-Length: 0x0\r\n\r\n`,
  'a space before the colon of the length': `MINEContent-Length : 5\r\n\r\n`,
  'a length on a folded line': `MINEX: 1\r\n Content-Length: 5\r\n\r\n`,
  'an encoding on a folded line': `MINETransfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n`,
  'a space before the colon of the encoding': `MINETransfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n`,
  'an encoding that is said twice': `MINETransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
  'an encoding that is not chunked': `MINETransfer-Encoding: xchunked\r\nContent-Length: 4\r\n\r\n`,
  'an encoding with a vertical tab': `MINETransfer-Encoding: \x0bchunked\r\nContent-Length: 4\r\n\r\n`,
  'an encoding after chunks': `MINETransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
  'lines that end in LF alone': `MINEContent-Length: 4\n\n`,
  'lines that end in CR alone': `MINEContent-Length: 4\rX: 1\r\r`,
  'a head that ends in CRLF and a letter': `MINEContent-Length: 0\r\n\rX`,
  'a chunk size with a sign': `MINETransfer-Encoding: chunked\r\n\r\n-1\r\n`,
  'a chunk size with 0x': `MINETransfer-Encoding: chunked\r\n\r\n0x5\r\nGET /\r\n0\r\n\r\n`,
  'a chunk size with an underscore': `MINETransfer-Encoding: chunked\r\n\r\n1_0\r\n`,
  'a chunk that ends without CRLF': `MINETransfer-Encoding: chunked\r\n\r\n1\r\naXX0\r\n\r\n`,
  'a chunk line that ends in LF': `MINETransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`,
  'a chunk extension with a line break': `MINETransfer-Encoding: chunked\r\n\r\n0;x=\n\r\n\r\n`,
}

for (const [what, head] of Object.entries(AMBIGUOUS)) {
  test(`nothing hidden behind a request with ${what} reaches an API, and that one is refused`, async (t) => {
    const { port, reached, mine } = await build(t)
    const received = await sendRaw(port, `POST /api/x/1 HTTP/1.1\r\nHost: a\r\n${head.replace('MINE', mine)}${HIDDEN}`)
    assert.match(received, /^(?:HTTP\/1\.1 400 |$)/)
    assert.equal(received.match(/HTTP\/1\.1 \d/g)?.length ?? 0, received === '' ? 0 : 1, 'one answer at most')
    assert.deepEqual(
      reached.filter(({ line }) => line.includes('hidden')),
      [],
    )
    assert.ok(reached.length <= 1)
  })
}

test('what stands in a body is a body, whatever it looks like, with every method', async (t) => {
  const { port, reached, mine } = await build(t)
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'POST', 'PUT', 'PATCH']) {
    for (const framed of [
      `Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
      `Transfer-Encoding: chunked\r\n\r\n${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`,
      `Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n${HIDDEN.length.toString(16)};x=1\r\n${HIDDEN}\r\n0\r\nAuthorization: Bearer hidden\r\n\r\n`,
    ]) {
      const octets = `${method} /api/x/1 HTTP/1.1\r\nHost: a\r\n${mine}Connection: close\r\n${framed}`
      const received = await sendRaw(port, octets)
      const before = reached.splice(0)
      assert.match(received, /^HTTP\/1\.1 [245]/, method)
      assert.ok(before.length <= 1, `${method}: one request at most`)
      for (const { line, headers } of before) {
        assert.equal(line, `${method} /v1/1`)
        assert.doesNotMatch(JSON.stringify(headers), /hidden/)
        assert.ok(headers.includes(`Bearer ${CANARIES.accessToken}`))
      }
    }
  }
})

test('encoded line breaks in path, query and headers become no line of the request to an API', async (t) => {
  const { port, reached, mine } = await build(t)
  for (const [target, header] of [
    ['/api/x/1%0d%0aX-Evil:%201', 'X: 1'],
    ['/api/x/1?a=%0d%0aX-Evil:%201', 'X: 1'],
    ['/api/x/1', 'X: a%0d%0aX-Evil: 1'],
    ['/api/x/1', 'Content-Type: text/plain%0d%0aX-Evil: 1'],
  ]) {
    const octets = `GET ${target} HTTP/1.1\r\nHost: a\r\n${mine}${header}\r\nConnection: close\r\n\r\n`
    await sendRaw(port, octets)
    const names = reached.splice(0).flatMap(({ headers }) => headers.filter((_, at) => at % 2 === 0))
    assert.ok(!names.some((name) => /x-evil/i.test(name)), `${target} ${header}`)
  }
})

test('an upgrade to HTTP/2 is a plain request: neither answered as one nor passed on', async (t) => {
  const { port, reached, mine } = await build(t)
  const upgrade =
    'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings, close'
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  for (const target of ['/api/x/1', '/auth/session']) {
    const received = await sendRaw(
      port,
      `GET ${target} HTTP/1.1\r\nHost: a\r\n${mine}${upgrade}\r\n\r\n${preface}${HIDDEN}`,
    )
    assert.match(received, /^HTTP\/1\.1 200 /, target)
    assert.doesNotMatch(received, /101 Switching/)
  }
  assert.deepEqual(
    reached.map(({ line }) => line),
    ['GET /v1/1'],
  )
  assert.doesNotMatch(JSON.stringify(reached), /h2c|http2-settings/i)
})

test('RFC 9112 §3.2: a request with two Host lines is 400', async (t) => {
  const { port, reached, mine } = await build(t)
  for (const target of ['/auth/session', '/api/x/1']) {
    const octets = `GET ${target} HTTP/1.1\r\nHost: a\r\nHost: evil.example\r\n${mine}Connection: close\r\n\r\n`
    assert.equal(parseAnswers(await sendRaw(port, octets))[0]?.status, 400, target)
  }
  assert.deepEqual(reached, [])
})
