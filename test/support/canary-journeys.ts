import assert from 'node:assert/strict'
import { hash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import type { Answer, Browser } from './browser.ts'
import { ADMIN_TOKEN, CALLER_TEXT, LOGIN_HINT, PAGE_DATA, type Stage } from './canary-stage.ts'
import { openEvents } from './event-source.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const page = `/inbox?token=${encodeURIComponent(PAGE_DATA)}`

/** A page signs its user in, uses all there is to use, and signs out at the IdP as well. */
export async function browserJourney(stage: Stage): Promise<void> {
  const { world, witness, canaries } = stage
  const browser = stage.browser()
  const query = new URLSearchParams({ login_hint: LOGIN_HINT, return_to: page })
  const callback = await stage.reachCallback(browser, `${query}`)
  const back = await browser.navigate(callback)
  assert.equal(back.location, `${world.publicUrl}${page}`)
  assert.equal((await browser.navigate(callback)).status, 400)
  for (const path of ['/auth/session', '/auth/session?touch=true', '/auth/sessions']) {
    assert.equal((await browser.fetch(path)).status, 200)
  }
  const cookie = await browser.jar.getCookieString(world.publicUrl)
  const verified = await witness.ask('/auth/verify', { headers: { cookie } })
  assert.equal(verified.status, 204)
  assert.equal((await witness.ask('/auth/verify')).status, 401)
  await callApi(stage, browser)
  assert.equal((await browser.fetch('/auth/refresh', { method: 'POST' })).status, 200)
  await listen(stage, cookie)
  assert.equal(
    (await browser.request('/auth/logout', { method: 'POST', headers: { origin: 'https://evil.example' } })).status,
    403,
  )
  const out = await browser.fetch('/auth/logout', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ return_to: page }),
  })
  const logoutUrl = String(out.json().logout_url)
  canaries.mark('ticket', new URL(logoutUrl).searchParams.get('ticket'))
  const onward = new URL(String((await browser.navigate(logoutUrl)).location))
  assert.ok(onward.searchParams.has('id_token_hint'))
  canaries.mark('logout-state', onward.searchParams.get('state'))
  await browser.navigate(logoutUrl)
  const landing = `/auth/logged-out?state=${onward.searchParams.get('state')}`
  assert.equal((await browser.navigate(landing)).location, `${world.publicUrl}${page}`)
  await browser.navigate(landing)
}

/** Proxied calls: answered, refused and renewed, broken off, never begun; and a WebSocket. */
async function callApi({ world, witness, apiAnswers }: Stage, browser: Browser): Promise<void> {
  const call = (path: string, options = {}): Promise<Answer> => browser.fetch(`/api/x${path}`, options)
  assert.equal((await call(page)).status, 200)
  assert.equal(
    (await call('/form', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ PAGE_DATA }) })).status,
    200,
  )
  const refuse = 'Bearer error="invalid_token"'
  apiAnswers.push((_request, response) => void response.writeHead(401, { 'www-authenticate': refuse }).end())
  assert.equal((await call('/refused-once')).status, 200)
  apiAnswers.push((_request, response) => void response.destroy())
  assert.equal((await call('/broken')).status, 502)
  apiAnswers.push((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half')
    setImmediate(() => response.destroy())
  })
  await call(`/broken-half-way${page}`).catch(() => {}) // The client is told by the broken connection.
  assert.equal((await call('/a%2fb')).status, 400)
  assert.equal((await browser.fetch(`/api/nowhere${page}`)).status, 404)
  const headers = { cookie: await browser.jar.getCookieString(world.publicUrl), origin: world.publicUrl }
  const address = world.publicUrl.replace('http', 'ws')
  const socket = new WebSocket(`${address}/api/x/socket?token=${encodeURIComponent(PAGE_DATA)}`, { headers })
  assert.equal(String(((await once(socket, 'message')) as [Buffer])[0]), 'welcome')
  const closed = once(socket, 'close')
  socket.close()
  await closed
  for (const path of ['refused', 'broken', 'a%2fb'])
    await seeRefusedHandshake(`${address}/api/x/${path}`, headers, witness.see)
}

async function seeRefusedHandshake(
  url: string,
  headers: Record<string, string>,
  see: (place: string, text: string) => void,
) {
  const socket = new WebSocket(url, { headers }).on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, import('node:http').IncomingMessage]
  see(`handshake ${response.statusCode} headers`, response.rawHeaders.join('\n'))
  see(`handshake ${response.statusCode} body`, Buffer.concat(await response.toArray()).toString())
}

async function listen({ world, witness }: Stage, cookie: string): Promise<void> {
  const cleanups: (() => void)[] = []
  const owner = { after: (work: () => void) => void cleanups.push(work) }
  const events = await openEvents(owner as Parameters<typeof openEvents>[0], `${world.publicUrl}/auth/events`, {
    cookie,
    'sec-fetch-site': 'same-origin',
  })
  witness.see('GET /auth/events 200 headers', JSON.stringify(events.headers))
  witness.see('GET /auth/events 200 body', JSON.stringify(await events.next()))
  await events.leave()
  for (const clean of cleanups) clean()
}

/** Signs out by a plain form, which is redirects all the way. */
export async function formJourney(stage: Stage): Promise<void> {
  const browser = stage.browser()
  await stage.signIn(browser)
  const body = new URLSearchParams({ return_to: page })
  const headers = { origin: stage.world.publicUrl, 'sec-fetch-site': 'same-origin' }
  const out = await browser.navigate('/auth/logout', { method: 'POST', body, headers })
  assert.equal(out.status, 303)
  stage.canaries.mark('ticket', new URL(String(out.location)).searchParams.get('ticket'))
}

/** An app, its session kept as either kind; codes that are burnt, used twice or made up. */
export async function appJourney(stage: Stage): Promise<void> {
  const { witness, canaries } = stage
  const state = `canary-app-state-"${randomUUID()}"`
  canaries.mark('app-state', state)
  for (const kind of ['token', 'cookie'] as const) {
    const { code, verifier } = await reachApp(stage, state)
    const redeem = (changes = {}): Promise<Answer> =>
      witness.send('/auth/handoff', {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify({ code, code_verifier: verifier, session: kind, ...changes }),
      })
    const redeemed = await redeem()
    assert.equal(redeemed.status, 200, redeemed.text)
    const token = redeemed.json().session_token
    if (kind === 'token') canaries.mark('session-token', String(token), String(token).slice(2))
    else canaries.mark('session-cookie', /=([^;]+)/.exec(redeemed.setCookies[0] ?? '')?.[1])
    const headers =
      kind === 'token'
        ? { authorization: `Bearer ${token}` }
        : { cookie: String(redeemed.setCookies[0]?.split(';')[0]) }
    const sessions = await witness.send('/auth/sessions', { headers })
    assert.equal(sessions.status, 200)
    assert.equal((await witness.send('/auth/refresh', { method: 'POST', headers })).status, 200)
    assert.equal((await witness.send('/api/x/of-an-app', { headers })).status, 200)
    assert.equal((await witness.ask('/auth/verify', { headers })).status, 204)
    assert.equal((await witness.send('/auth/sessions', { method: 'DELETE', headers })).status, 200)
    const out = kind === 'token' ? await witness.send('/auth/logout', { method: 'POST', headers }) : await redeem() // A second time ends it.
    assert.equal(out.status, kind === 'token' ? 200 : 400)
    if (out.status === 200) canaries.mark('ticket', new URL(String(out.json().logout_url)).searchParams.get('ticket'))
  }
  const { code } = await reachApp(stage, state)
  const wrong = await witness.send('/auth/handoff', {
    method: 'POST',
    headers: JSON_TYPE,
    body: JSON.stringify({ code, code_verifier: CALLER_TEXT.repeat(2) }),
  })
  assert.equal(wrong.status, 400)
}

async function reachApp(stage: Stage, state: string): Promise<{ code: string; verifier: string }> {
  const { canaries } = stage
  const browser = stage.browser()
  const verifier = randomBytes(32).toString('base64url')
  canaries.mark('app-verifier', verifier)
  const challenge = hash('sha256', verifier, 'base64url')
  const query = new URLSearchParams({ app: 'android', state, code_challenge: challenge, code_challenge_method: 'S256' })
  const back = await browser.navigate(await stage.reachCallback(browser, `${query}`))
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? ''
  canaries.mark('handoff-code', code)
  return { code, verifier }
}

/** The IdP signs out by itself, rightly and wrongly. */
export async function backchannelJourney(stage: Stage): Promise<void> {
  const { world, witness, canaries } = stage
  await stage.signIn(stage.browser())
  const nowS = Math.floor(Date.now() / 1000)
  const claims = {
    iss: world.simulator.issuer,
    aud: 'bff',
    iat: nowS,
    exp: nowS + 120,
    sub: 'ada',
    nothing: CALLER_TEXT,
  }
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const sign = (changes: object, typ = 'logout+jwt'): string => {
    const jws = world.simulator.signJwt({ ...claims, events, jti: `canary-jti-${randomUUID()}`, ...changes }, { typ })
    canaries.markJws('logout-token', jws, { jti: 'logout-token', nonce: 'nonce' })
    return jws
  }
  const send = (body: string): Promise<Answer> =>
    witness.send('/auth/backchannel-logout', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    })
  const good = `logout_token=${sign({})}`
  assert.deepEqual([(await send(good)).status, (await send(good)).status], [200, 400])
  const bad = [
    sign({ aud: CALLER_TEXT }),
    sign({ nonce: CALLER_TEXT }),
    sign({ events: { CALLER_TEXT } }),
    sign({}, CALLER_TEXT),
    `${sign({}).slice(0, -9)}AAAAAAAA0`,
    CALLER_TEXT,
    `${CALLER_TEXT}.e30.e30`,
  ]
  for (const token of bad) assert.equal((await send(`logout_token=${token}`)).status, 400)
  assert.equal((await send(`${CALLER_TEXT}=${CALLER_TEXT}`)).status, 400)
  assert.equal(
    (await witness.send('/auth/backchannel-logout', { method: 'POST', headers: JSON_TYPE, body: `{"${CALLER_TEXT}` }))
      .status,
    400,
  )
}

/** An operator ends sessions; somebody else would like to. */
export async function adminJourney(stage: Stage): Promise<void> {
  const { witness } = stage
  await stage.signIn(stage.browser())
  const end = (authorization: string, body: string): Promise<Answer> =>
    witness.ask('/admin/sessions/end', { method: 'POST', headers: { ...JSON_TYPE, authorization }, body })
  assert.equal((await end(`Bearer ${ADMIN_TOKEN}`, '{"sub":"ada"}')).status, 200)
  assert.equal((await end(`Bearer ${ADMIN_TOKEN}`, JSON.stringify({ sid: CALLER_TEXT }))).status, 200)
  assert.equal((await end(`Bearer ${ADMIN_TOKEN}`, '{"all":true}')).status, 200)
  for (const wrong of [`Bearer ${ADMIN_TOKEN.slice(0, -1)}`, ADMIN_TOKEN, `Basic ${btoa(`admin:${ADMIN_TOKEN}`)}`]) {
    assert.equal((await end(wrong, '{"all":true}')).status, 401)
  }
  for (const body of [`{"sub":"${CALLER_TEXT}","sid":"x"}`, `{"${CALLER_TEXT}":1}`, `{"${CALLER_TEXT}`]) {
    assert.equal((await end(`Bearer ${ADMIN_TOKEN}`, body)).status, 400)
  }
}

/** Callers that send secrets where none belong, and HTTP that is none. */
export async function callersJourney({ world, witness }: Stage): Promise<void> {
  const text = CALLER_TEXT
  for (const path of [
    `/auth/callback%zz?code=${text}`,
    `/auth/%zz?code=${text}`,
    `/auth/callback?state=${text}&code=${text}`,
    `/auth/callback?state=${text}&state=${text}&error=${text}&error_description=${text}`,
    `/auth/session?x=%zz&token=${text}`,
    `/auth/session?touch=${text}`,
    `/auth/nowhere?token=${text}`,
    `/auth/start?prompt=${text}&redirect_uri=${text}`,
    `/auth/start?return_to=https://${text}.example/`,
    `/auth/start?app=${text}&code_challenge=${text}`,
    `/auth/logged-out?state=${text}`,
    `/auth/logout/continue?ticket=${text}`,
    `/signed-in?code=${text}`,
    `/api/x?token=${text}`,
  ]) {
    for (const headers of [{}, { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }]) {
      await witness.send(path, { headers })
    }
  }
  for (const body of [
    `{"code":"${text}"`,
    `{"code":"${text}","${text}":1}`,
    `{"code":1,"code_verifier":"${text}"}`,
    `"${text}"`,
    `{"__proto__":"${text}"}`,
  ]) {
    await witness.send('/auth/handoff', { method: 'POST', headers: JSON_TYPE, body })
  }
  await witness.send('/auth/handoff', { method: 'POST', headers: { 'content-type': `text/${text}` }, body: text })
  const cookies = [`oten_session=${text}`, `oten_session=b_${text}`, `oten_tx_12345678=${text}`]
  for (const cookie of cookies) await witness.send('/auth/sessions', { headers: { cookie, authorization: text } })
  await witness.send('/auth/session', { headers: { authorization: `Bearer t_${text}` } })
  await witness.send('/auth/session', { method: text.toUpperCase().slice(0, 6) }).catch(() => {}) // Node may know better.
  const lines = [
    `GET /auth/session HTTP/1.1\r\nHost: x\r\nCookie: oten_session=${text}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `GET /auth/session?${text} HTTP/9.9\r\nCookie: ${text}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\nX: ${text.repeat(1000)}\r\n\r\n`,
    `${text}\r\n\r\n`,
  ]
  for (const octets of lines)
    witness.see('malformed HTTP', await exchange(Number(new URL(world.publicUrl).port), octets))
}

/** All that comes back for what is no HTTP, or not quite. */
async function exchange(port: number, octets: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.end(octets)
  return Buffer.concat(await socket.toArray().catch(() => [])).toString('latin1')
}
