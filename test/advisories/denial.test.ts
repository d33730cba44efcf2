import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { PUBLIC_URL } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask, headerOf, sendRaw } from './raw.ts'

/** As much as Node lets through in the head of a request, less what else is in it. */
const OCTETS = 12_000

const fill = (unit: string): string => unit.repeat(Math.floor(OCTETS / unit.length))

/** How many times the cost of a plain request of the same size one may have; what grows by the square has hundreds. */
const RATIO_MAX = 40

async function build(t: TestContext) {
  const env = { RATE_LIMIT_PER_MINUTE: '0', TRUSTED_PROXIES: '127.0.0.1', LOG_LEVEL: 'warn' }
  const proxy = await buildProxy(
    t,
    (incoming, answer) => {
      incoming.resume()
      answer.end('{}')
    },
    { env },
  )
  const head = `Host: a\r\nCookie: ${proxy.mine.cookie}\r\nOrigin: ${PUBLIC_URL}\r\nConnection: close\r\n`
  const send = (target: string, lines: string): Promise<string> =>
    sendRaw(proxy.port, `GET ${target} HTTP/1.1\r\n${head}${lines}\r\n`)
  /** Processor time of this process, client and service together; the least of several tries, so that pauses do not count. */
  const costOf = async (target: string, lines: string): Promise<number> => {
    const costs: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const before = process.cpuUsage()
      assert.match(await send(target, lines), /^HTTP\/1\.1 [234]/)
      const { user, system } = process.cpuUsage(before)
      costs.push(user + system)
    }
    return Math.min(...costs)
  }
  return { ...proxy, costOf }
}

/** Requests that make naive code work much harder than a plain one of their size. */
const HARD: Readonly<Record<string, readonly [target: string, lines: string]>> = {
  'distinct parameters': [
    `/auth/session?${Array.from({ length: 1200 }, (_, at) => `p${at}=1`).join('&')}`,
    `X: ${'a'.repeat(4000)}\r\n`,
  ],
  'a return target that is encoded again and again': [`/auth/start?return_to=/${fill('%25').slice(0, 8000)}`, ''],
  'a return target of slashes': [`/auth/start?return_to=${fill('/.').slice(0, 8000)}`, ''],
  'a path of dots and slashes': [`/api/x/${fill('a.').slice(0, 8000)}`, ''],
  'a path of semicolons': [`/api/x/${fill('..;a').slice(0, 8000)}`, ''],
  'a path of broken escapes': [`/auth/${fill('%25%').slice(0, 8000)}`, ''],
  'our own cookie a thousand times': ['/auth/session', `Cookie: ${fill('__Host-Http-oten_session=x;')}\r\n`],
  'cookies without values': ['/auth/session', `Cookie: ${fill(';= ')}\r\n`],
  'transaction cookies': ['/auth/start', `Cookie: ${fill('__Host-Http-oten_tx_abcdefgh=1.x; ')}\r\n`],
  'names in Connection': ['/api/x/1', `Connection: ${fill('a,')}\r\n`],
  'addresses in X-Forwarded-For': ['/auth/session', `X-Forwarded-For: ${fill('1.1.1.1,')}\r\n`],
  'blanks in a token': ['/auth/session', `Authorization: Bearer ${fill(' ')}x\r\n`],
  'blanks in a type': ['/auth/session', `Accept: ${fill(' ,')}\r\nContent-Type: ${'a/b;'.repeat(100)}\r\n`],
  'a thousand headers': ['/api/x/1', Array.from({ length: 900 }, (_, at) => `X-${at}: 1\r\n`).join('')],
}

test('no request costs many times what a plain one of its size costs, however it is made', async (t) => {
  const { costOf } = await build(t)
  const plain = ['/auth/session', `X: ${'a'.repeat(OCTETS)}\r\n`] as const
  for (let warm = 0; warm < 5; warm += 1) await costOf(...plain)
  const base = await costOf(...plain)
  for (const [what, [target, lines]] of Object.entries(HARD)) {
    const ratio = (await costOf(target, lines)) / base
    assert.ok(ratio < RATIO_MAX, `${what}: ${ratio.toFixed(1)} times a plain request`)
  }
})

test('a parameter that is repeated as often as fits costs no more than others do', async (t) => {
  const { costOf } = await build(t)
  const plain = [`/auth/session?${'a'.repeat(OCTETS)}`, ''] as const
  for (let warm = 0; warm < 5; warm += 1) await costOf(...plain)
  const base = await costOf(...plain)
  const ratio = (await costOf(`/auth/session?${fill('a&')}`, '')) / base
  assert.ok(ratio < RATIO_MAX, `${ratio.toFixed(1)} times a plain request`)
})

test('a head that never ends is not waited for longer than a minute, on either listener', async (t) => {
  const { service } = await build(t)
  for (const { server } of [service.app, service.admin]) {
    assert.ok(server.headersTimeout > 0 && server.headersTimeout <= 60_000, `${server.headersTimeout} ms`)
    assert.ok(server.keepAliveTimeout > 0, 'nor is one that never comes')
  }
})

test('what an API has packed is passed on packed: nothing here unpacks it, so no bomb goes off', async (t) => {
  const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))
  const { port, mine } = await buildProxy(t, (incoming, answer) => {
    incoming.resume()
    answer.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb)
  })
  const answer = await ask(port, '/api/x/1', { headers: { ...mine, 'accept-encoding': 'gzip' } })
  assert.equal(headerOf(answer, 'content-encoding'), 'gzip')
  assert.equal(headerOf(answer, 'content-length'), String(bomb.length))
})

test('a packed body is not unpacked for our own routes either: it is 400 or 415, whatever it would become', async (t) => {
  const { port } = await build(t)
  const packed = gzipSync(JSON.stringify({ code: 'x', code_verifier: 'y', filler: 'a'.repeat(1024 * 1024) }))
  assert.ok(gunzipSync(packed).length > 1024 * 1024)
  for (const encoding of ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'gzip, gzip']) {
    const head = [
      'POST /auth/handoff HTTP/1.1',
      'Host: a',
      'Content-Type: application/json',
      `Content-Encoding: ${encoding}`,
    ]
    const octets = [...head, `Content-Length: ${packed.length}`, 'Connection: close', '', packed.toString('latin1')]
    assert.match(await sendRaw(port, octets.join('\r\n')), /^HTTP\/1\.1 4(?:00|15) /, encoding)
  }
})
