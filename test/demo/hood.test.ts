import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { request as send } from 'undici'
import type { Exchange } from '../../demo/hood/exchange.ts'
import { createHood, type Hood } from '../../demo/hood/hood.ts'
import {
  maskAuthorization,
  maskCookies,
  maskForm,
  maskLocation,
  maskPath,
  maskSetCookie,
} from '../../demo/hood/mask.ts'
import { watchHttp } from '../../demo/hood/watch-http.ts'

const SECRET = 'Zm9yLW5vYm9keS1idXQtdXM'

const exchange = (id: string): Exchange => ({
  id,
  from: 'browser',
  to: 'bff',
  method: 'GET',
  path: '/',
  headers: [],
  askedAt: 1,
})

test('of a query and a form only names stay, and values that are known to be harmless', () => {
  const query = `code=${SECRET}&state=${SECRET}&error=access_denied&anything=${SECRET}&code=${SECRET}`
  assert.equal(maskForm(query), 'code=•••&state=•••&error=access_denied&anything=•••&code=•••')
  assert.equal(maskPath(new URL(`http://x/auth/callback?${query}`)), `/auth/callback?${maskForm(query)}`)
})

test('of a path, ids go and words stay', () => {
  const mask = (path: string): string => maskPath(new URL(path, 'http://x'))
  assert.equal(mask(`/auth/sessions/${SECRET}`), '/auth/sessions/{id}')
  assert.equal(mask('/auth/backchannel-logout'), '/auth/backchannel-logout')
  assert.equal(mask('/.well-known/openid-configuration'), '/.well-known/openid-configuration')
})

test('a redirect is masked like a path, elsewhere with the origin before it', () => {
  const location = `http://other/signed-in?code=${SECRET}&state=${SECRET}#${SECRET}`
  assert.equal(maskLocation(location, 'http://x'), 'http://other/signed-in?code=•••&state=•••')
  assert.equal(maskLocation(`/sign-in/${SECRET}`, 'http://x'), '/sign-in/{id}')
})

test('of cookies and credentials, names and attributes stay', () => {
  assert.equal(maskSetCookie(`a=${SECRET}==; Path=/; HttpOnly`), 'a=•••; Path=/; HttpOnly')
  assert.equal(maskSetCookie('a=; Max-Age=0'), 'a=; Max-Age=0')
  assert.equal(maskCookies(`a=${SECRET}; b=${SECRET}=x;c`), 'a=•••; b=•••; •••')
  assert.equal(maskAuthorization(`Bearer ${SECRET}`), 'Bearer •••')
  assert.equal(maskAuthorization(SECRET), '•••')
})

/** A server with the hood's paths. @returns its origin */
async function serve(t: TestContext, { answer }: Hood): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // Listening on TCP, so not a path.
}

test('pages get what there was and what comes, the latest of each exchange, and no other origin may read it', async (t) => {
  const hood = createHood()
  const origin = await serve(t, hood)
  hood.take(exchange('gone'))
  hood.forget()
  hood.take(exchange('a'))
  const answer = { status: 200, at: 2, setCookies: [] }
  hood.take({ ...exchange('a'), answer })
  const all = await fetch(`${origin}/exchanges/all`, { headers: { origin: 'http://evil.example' } })
  assert.deepEqual(await all.json(), [{ ...exchange('a'), answer }])
  assert.equal(all.headers.get('access-control-allow-origin'), null)
  assert.equal(all.headers.get('cache-control'), 'no-store')

  const stream = await fetch(`${origin}/exchanges/stream`)
  assert.equal(stream.headers.get('access-control-allow-origin'), null)
  const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
  hood.take(exchange('b'))
  const { value } = await reader.read()
  assert.equal(new TextDecoder().decode(value), `event: exchange\ndata: ${JSON.stringify(exchange('b'))}\n\n`)
  await reader.cancel()
  assert.equal((await fetch(`${origin}/exchanges/all`, { method: 'POST' })).status, 405)
  assert.equal((await fetch(`${origin}/exchanges/other`)).status, 404)
})

test('the hood keeps the latest exchanges and lets go of the first', async (t) => {
  const hood = createHood()
  const origin = await serve(t, hood)
  for (let n = 0; n < 1000; n++) hood.take(exchange(String(n)))
  const kept = (await (await fetch(`${origin}/exchanges/all`)).json()) as Exchange[]
  assert.equal(kept.at(-1)?.id, '999')
  assert.ok(kept.length >= 100 && kept.length < 1000)
})

test('what a request brings about is tied to it, though others go on at the same time; a refused one has no answer', async (t) => {
  const seen = new Map<string, Exchange>()
  const server = createServer(async (req, res) => {
    if (req.url === '/upstream') return void setTimeout(() => res.writeHead(201, { location: `/${SECRET}` }).end(), 20)
    const target = req.url === '/refused' ? 'http://127.0.0.1:1/' : `${origin}/upstream`
    const headers = { authorization: `Basic ${SECRET}`, 'content-type': 'application/x-www-form-urlencoded' }
    await send(target, { method: 'POST', body: `grant_type=x&code=${SECRET}`, headers }).then(
      ({ body }) => body.dump(),
      () => undefined,
    )
    res.setHeader('set-cookie', `a=${SECRET}; Path=/`)
    res.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo // Listening on TCP, so not a path.
  const origin = `http://127.0.0.1:${port}`
  watchHttp({
    name: 'test',
    received: (at, { url }) => (at === port && url !== '/upstream' ? { from: 'browser', to: 'bff' } : undefined),
    sent: (to) => (to === 'http://127.0.0.1:1' || to === origin ? { from: 'bff', to: 'api' } : undefined),
    report: (reported) => void seen.set(reported.id, reported),
  })
  // By Node's own client, which is not watched, as browsers are not.
  const ask = (path: string): Promise<unknown> =>
    new Promise((resolve) => request(`${origin}${path}`, (response) => response.resume().on('end', resolve)).end())
  await Promise.all(['/a', '/b', '/refused'].map(ask))

  const all = [...seen.values()]
  for (const path of ['/a', '/b', '/refused']) {
    const received = all.find((one) => one.path === path)
    assert.deepEqual(received?.answer?.setCookies, ['a=•••; Path=/'])
    const sent = all.filter(({ cause }) => cause === received?.id)
    assert.equal(sent.length, 1, path)
    assert.equal(sent[0]?.answer?.status, path === '/refused' ? 0 : 201)
    assert.deepEqual(sent[0]?.headers, ['Authorization: Basic •••'])
    assert.equal(sent[0]?.body, 'grant_type=x&code=•••')
  }
  assert.ok(!JSON.stringify(all).includes(SECRET))
})
