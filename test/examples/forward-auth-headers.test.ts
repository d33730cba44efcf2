import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openEvents } from '../support/event-source.ts'
import { ask } from './ask.ts'
import { valuesOf } from './echo-app.ts'
import { HANDSHAKE, openBehind, openSignedIn } from './open-behind.ts'
import { PROXIES } from './proxies.ts'

const COPIED = ['x-auth-subject', 'x-auth-email', 'authorization'] as const

for (const kind of PROXIES) {
  const { name } = kind

  test(`${name}: of the signed-in the app sees who they are and the session's token, and nothing that they made up`, async (t) => {
    const { url, app, cookie, readAuthorization } = await openSignedIn(kind, t)
    const foreign = ['X-Auth-Subject', 'x-auth-subject', 'X_Auth_Subject', 'X_AUTH-SUBJECT', 'X-Auth_Subject'].concat([
      'X-AUTH-EMAIL',
      'X_Auth_Email',
      'x-auth_email',
      'Authorization',
      'HTTP_AUTHORIZATION',
    ])
    const made = foreign.map((header) => [header, header === 'Authorization' ? 'Bearer evil' : 'evil'] as const)
    const body = 'x'.repeat(200_000)
    for (const method of ['GET', 'POST', 'DELETE']) {
      const headers = [['Cookie', cookie], ['X-Own', 'kept'], ...made] as const
      const sent = { method, headers, ...(method === 'POST' && { body }) }
      assert.equal((await ask(url, '/orders/5?a=1&b=%26', sent)).body, 'the app')
      const seen = app.last()
      assert.deepEqual(
        COPIED.map((header) => valuesOf(seen, header)),
        [['ada'], ['ada@example.com'], [await readAuthorization()]],
      )
      assert.deepEqual([seen.method, seen.path], [method, '/orders/5?a=1&b=%26'])
      assert.equal(seen.body, method === 'POST' ? body : '')
      assert.deepEqual(valuesOf(seen, 'x-own'), ['kept'])
      assert.doesNotMatch(JSON.stringify(seen.headers), /evil/)
    }
  })

  test(`${name}: somebody without an e-mail address cannot make one up`, async (t) => {
    const { url, app, cookie } = await openSignedIn(kind, t, { env: { SESSION_CLAIMS: 'sub,name' } })
    const headers = [
      ['Cookie', cookie],
      ['X-Auth-Email', 'boss@example.com'],
      ['x_auth_email', 'boss@example.com'],
    ] as const
    assert.equal((await ask(url, '/', { headers })).status, 200)
    assert.deepEqual(valuesOf(app.last(), 'x-auth-subject'), ['ada'])
    assert.ok(['', undefined].includes(valuesOf(app.last(), 'x-auth-email')[0]))
    assert.doesNotMatch(JSON.stringify(app.last().headers), /boss/)
  })

  test(`${name}: no client can have the headers taken out again, or talk to the app past the proxy`, async (t) => {
    const { url, app, cookie, readAuthorization } = await openSignedIn(kind, t)
    for (const tricks of [
      [['Connection', 'close, X-Auth-Subject, X-Auth-Email, Authorization']],
      [
        ['Connection', 'Upgrade, X-Auth-Subject, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABk'],
      ],
      [['Connection', 'keep-alive, Upgrade, X-Auth-Subject, Authorization'], ...HANDSHAKE.slice(1)],
    ] as const) {
      const answer = await ask(url, '/', { headers: [['Cookie', cookie], ...tricks] })
      answer.socket?.destroy()
      const isHandshake = tricks.length > 3
      assert.equal(answer.status, isHandshake ? 101 : 200)
      assert.deepEqual(valuesOf(app.last(), 'x-auth-subject'), ['ada'], String(tricks))
      assert.deepEqual(valuesOf(app.last(), 'authorization'), [await readAuthorization()])
      assert.deepEqual(valuesOf(app.last(), 'upgrade'), isHandshake ? ['websocket'] : [])
    }
  })

  test(`${name}: the session cookie stays out of the app, and the others arrive`, async (t) => {
    const { url, app, cookie } = await openSignedIn(kind, t)
    const kept = async (...lines: readonly string[]): Promise<string[]> => {
      const headers = lines.map((line) => ['Cookie', line] as const)
      assert.equal((await ask(url, '/', { headers })).status, 200, String(lines))
      const cookies = valuesOf(app.last(), 'cookie').join(';')
      assert.ok(!cookies.includes(cookie), cookies)
      return cookies.split(';').flatMap((pair) => pair.trim() || [])
    }
    assert.deepEqual(await kept(cookie), [])
    assert.deepEqual(await kept(`${cookie}; a=1`), ['a=1'])
    assert.deepEqual(await kept(`a=1; my_oten_session=2; ${cookie}`), ['a=1', 'my_oten_session=2'])
    assert.deepEqual(await kept(`a=1;${cookie};b=2; c="3"`), ['a=1', 'b=2', 'c="3"'])
    assert.deepEqual(await kept('a=1', cookie, 'b=2'), ['a=1', 'b=2'])
  })

  test(`${name}: an app's bearer credential opens, and what the app behind gets is the access token`, async (t) => {
    const { url, app, world } = await openBehind(kind, t)
    const phone = createPhone(world)
    const redeemed = await phone.redeem((await phone.signIn('ada')).code, { session: 'token' })
    const credential = `Bearer ${redeemed.json().session_token}`
    const planted = `oten_session=b_${'A'.repeat(43)}`
    const headers = [
      ['Authorization', credential],
      ['Cookie', `a=1; ${planted}; ${planted}`],
    ] as const
    assert.equal((await ask(url, '/', { headers })).status, 200)
    const [token] = valuesOf(app.last(), 'authorization')
    assert.match(String(token), /^Bearer (?!t_)/)
    const shown = JSON.stringify(app.last().headers)
    for (const secret of [credential.slice('Bearer '.length), planted]) assert.ok(!shown.includes(secret), shown)
  })

  test(`${name}: a WebSocket opens for the signed-in, and says who they are`, async (t) => {
    const { url, app, cookie } = await openSignedIn(kind, t)
    const { status, socket } = await ask(url, '/socket', { headers: [['Cookie', cookie], ...HANDSHAKE] })
    assert.equal(status, 101)
    t.after(() => socket?.destroy())
    assert.deepEqual(valuesOf(app.last(), 'x-auth-subject'), ['ada'])
    const { promise, resolve } = Promise.withResolvers<string>()
    socket?.once('data', (data) => resolve(String(data)))
    socket?.write('hello')
    assert.equal(await promise, 'hello')
  })

  test(`${name}: event streams arrive while they go on, the app's and our own`, async (t) => {
    const { url, cookie } = await openSignedIn(kind, t)
    const streaming = await fetch(`${url}/stream`, { headers: { cookie } })
    const reader = streaming.body?.getReader()
    assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'data: first\n\n')
    await reader?.cancel()
    const events = await openEvents(t, `${url}/auth/events`, { cookie })
    assert.equal((await events.next())?.event, 'session')
  })
}
