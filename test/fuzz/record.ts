import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { startApi } from '../support/api.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { createWorld, type World } from '../support/world.ts'

/** A recorded request, its octets as Latin-1. What is new in every run stands as `{{name}}` in it. */
export interface Template {
  /** `POST /auth/logout`, for a message. */
  readonly name: string
  readonly text: string
}

export interface Stage {
  readonly world: World
  /** Where the service itself listens. */
  readonly port: number
  /** The origin of the recorded page. */
  readonly origin: string
  readonly templates: readonly Template[]
}

/** The real service with an API behind it, the simulator, and one whole journey as it went over the wire. */
export async function record(t: TestContext): Promise<Stage> {
  let port = 0
  const relay = await startRelay(t, () => port)
  const api = await startApi({ after: (work) => t.after(work) })
  const world = await createWorld(t, {
    bodyTimeoutMs: 1000, // Far beyond what an honest body takes here.
    env: {
      ALLOWED_ORIGINS: relay.url,
      API_ROUTES: `/api/x=${api.url}/v1`,
      BACKCHANNEL_LOGOUT: 'on',
      RATE_LIMIT_PER_MINUTE: '0',
    },
  })
  port = Number(new URL(world.publicUrl).port)
  const templates: Template[] = []
  await takeJourney(createBrowser(relay.url), relay.url, async (step) => {
    await step
    templates.push(toTemplate(relay.take()))
  })
  const asked = templates.find(({ name }) => name === 'GET /auth/session')
  // Made of another one: the recording would wait for the end of the stream.
  const stream = {
    name: 'GET /auth/events',
    text: asked?.text.replace('/auth/session?touch=true', '/auth/events') ?? '',
  }
  return { world, port, origin: relay.url, templates: [...templates, stream] }
}

/** Between clients and the service; keeps all that clients say. */
async function startRelay(t: TestContext, port: () => number) {
  const said: Buffer[] = []
  const server = createServer((client) => {
    const service = connect(port(), '127.0.0.1')
    client.on('data', (chunk) => said.push(chunk))
    client.on('error', () => service.destroy()).pipe(service)
    service.on('error', () => client.destroy()).pipe(client)
    t.after(() => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port: own } = server.address() as AddressInfo
  return { url: `http://localhost:${own}`, take: () => Buffer.concat(said.splice(0)) }
}

type Keep = (step: Promise<unknown>) => Promise<void>

/** Sign-in, use, refresh and sign-out of a page, and what an app and the IdP send. */
async function takeJourney(browser: Browser, origin: string, keep: Keep): Promise<void> {
  const json = { 'content-type': 'application/json' }
  const start = browser.fetch('/auth/start?return_to=%2Finbox%3Ffolder%3D1&prompt=login')
  await keep(start)
  const { authorization_url: authorizationUrl } = (await start).json()
  const { pathname, search } = new URL(await browser.passIdp(String(authorizationUrl), 'ada'))
  await keep(browser.navigate(pathname + search))
  await keep(browser.fetch('/auth/session?touch=true'))
  await keep(browser.fetch('/auth/refresh', { method: 'POST' }))
  await keep(browser.fetch('/auth/sessions'))
  await keep(browser.fetch('/api/x/items/5?page=1&sort=date'))
  await keep(browser.fetch('/api/x/items', { method: 'POST', headers: json, body: '{"name":"a thing","count":3}' }))
  await keep(browser.fetch('/auth/sessions/0123456789abcdef', { method: 'DELETE' }))
  const preflight = { origin, 'access-control-request-method': 'POST' }
  await keep(browser.request('/auth/refresh', { method: 'OPTIONS', headers: preflight }))
  const handoff = { code: 'c'.repeat(43), code_verifier: 'v'.repeat(43), session: 'token' }
  await keep(browser.request('/auth/handoff', { method: 'POST', headers: json, body: JSON.stringify(handoff) }))
  const logout = browser.fetch('/auth/logout', { method: 'POST', headers: json, body: '{"return_to":"/bye"}' })
  await keep(logout)
  const { logout_url: logoutUrl } = (await logout).json()
  await keep(browser.navigate(`/auth/logout/continue${new URL(String(logoutUrl)).search}`))
  await keep(browser.navigate('/auth/logged-out?state=0123456789'))
  const form = new URLSearchParams({ return_to: '/bye' })
  await keep(browser.navigate('/auth/logout', { method: 'POST', headers: { origin }, body: form }))
  const token = 'logout_token={{logout_token}}'
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  await keep(browser.request('/auth/backchannel-logout', { method: 'POST', headers: type, body: token }))
  await keep(browser.request('/auth/start', { headers: { accept: 'text/html' } }))
}

/** Takes out what differs from run to run, so that a seed stands for the same edits; each has a connection of its own. */
function toTemplate(octets: Buffer): Template {
  const text = octets
    .toString('latin1')
    .replaceAll(/localhost:\d+/g, '{{host}}')
    .replace(/^connection: .*$/im, 'connection: close')
    .replace(/oten_session=b_[\w-]{43}/, 'oten_session={{session}}')
    .replace(/oten_tx_[\w-]{8}=[\w.-]+/, 'oten_tx_{{suffix}}={{secret}}')
    .replace(/(\?|&)code=[^& ]+/, '$1code={{code}}')
    .replace(/(\?|&)iss=[^& ]+/, '$1iss={{iss}}')
    .replace(/(\?|&)state=[\w-]{43}/, '$1state={{state}}')
    .replace(/(\?|&)ticket=[\w-]+/, '$1ticket={{ticket}}')
  const [name = ''] = /^\S+ [^? ]+/.exec(text) ?? []
  return { name, text }
}

/** The values of now, for what of the placeholders is left. A length that was right before stays right. */
export function fill(template: string, values: Readonly<Record<string, string>>): Buffer {
  const put = (text: string): string => text.replaceAll(/\{\{(\w+)\}\}/g, (all, name: string) => values[name] ?? all)
  const [head = '', ...rest] = template.split('\r\n\r\n')
  if (rest.length === 0) return Buffer.from(put(head), 'latin1')
  const body = rest.join('\r\n\r\n')
  const filled = put(body)
  const right = head.replace(/(\r\ncontent-length: )(\d+)/i, (all, name: string, length: string) =>
    Number(length) === body.length ? `${name}${filled.length}` : all,
  )
  return Buffer.from(`${put(right)}\r\n\r\n${filled}`, 'latin1')
}

/** What a holder of a session has at hand: it, a fresh transaction, and a token of the IdP about somebody else. */
export async function createValues({ world, origin }: Stage, session: string): Promise<Record<string, string>> {
  const { simulator, publicUrl } = world
  const browser = createBrowser(publicUrl)
  const started = await browser.fetch('/auth/start')
  const [, suffix = '', secret = ''] = /oten_tx_([\w-]{8})=([\w.-]+)/.exec(started.setCookies.join()) ?? []
  const [, payload = ''] = (new URL(String(started.json().authorization_url)).searchParams.get('request') ?? '').split(
    '.',
  )
  const { state } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { state: string }
  const now = Math.floor(Date.now() / 1000)
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const claims = {
    iss: simulator.issuer,
    aud: 'bff',
    iat: now,
    exp: now + 60,
    jti: randomUUID(),
    sub: 'nobody',
    events,
  }
  return {
    host: new URL(origin).host,
    session,
    suffix,
    secret,
    state,
    iss: encodeURIComponent(simulator.issuer),
    code: 'x'.repeat(43),
    ticket: 'x'.repeat(43),
    logout_token: simulator.signJwt(claims, { typ: 'logout+jwt' }),
  }
}
