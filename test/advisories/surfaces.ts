import { once } from 'node:events'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PUBLIC_URL } from '../plugins/build-service.ts'
import type { buildProxy } from '../routes/build-proxy.ts'
import { ask, buildRequest, sendRaw } from './raw.ts'

type Proxy = Awaited<ReturnType<typeof buildProxy>>

/** What opens a session, as a client would send it. */
export type Credential = Readonly<Record<string, string>>

/** Every way in which this service acts for whoever a credential belongs to. */
export interface Surfaces {
  /** @returns the names of the surfaces that took this credential for somebody's */
  openTo(credential: Credential): Promise<string[]>
}

/** All of them, in the order in which `openTo` names them; its API answers a WebSocket handshake with 403. */
export const SURFACES = ['session', 'sessions', 'refresh', 'events', 'api', 'api-post', 'websocket', 'verify'] as const

/** @param proxy its API must answer every call; the inner listener is opened here */
export async function openSurfaces({ service, port }: Proxy): Promise<Surfaces> {
  await service.admin.listen({ host: '127.0.0.1', port: 0 })
  const { port: adminPort } = service.admin.server.address() as AddressInfo
  const origin = { origin: PUBLIC_URL }
  const status = async (path: string, credential: Credential, method = 'GET'): Promise<number> =>
    (await ask(port, path, { method, headers: { ...origin, ...credential } })).status

  const isOpen: Readonly<Record<(typeof SURFACES)[number], (credential: Credential) => Promise<boolean>>> = {
    session: async (credential) =>
      JSON.parse((await ask(port, '/auth/session', { headers: credential })).body).authenticated === true,
    sessions: async (credential) => (await status('/auth/sessions', credential)) === 200,
    // The double of the IdP does not refresh: 503 says that there was a session to refresh.
    refresh: async (credential) => (await status('/auth/refresh', credential, 'POST')) === 503,
    events: async (credential) => (await askForHead(port, '/auth/events', { ...origin, ...credential })) === 200,
    api: async (credential) => (await status('/api/x/1', credential)) === 200,
    'api-post': async (credential) => (await status('/api/x/1', credential, 'POST')) === 200,
    websocket: async (credential) => (await shakeHands(port, credential)) === 403,
    verify: async (credential) => (await ask(adminPort, '/auth/verify', { headers: credential })).status === 204,
  }
  return {
    async openTo(credential) {
      const open: string[] = []
      for (const name of SURFACES) if (await isOpen[name](credential)) open.push(name)
      return open
    },
  }
}

/** The status of an answer that may never end. */
async function askForHead(port: number, path: string, headers: Credential): Promise<number> {
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false })
  sent.end()
  const [response] = await once(sent, 'response')
  response.destroy()
  return response.statusCode
}

async function shakeHands(port: number, credential: Credential): Promise<number> {
  const headers = Object.entries({ origin: PUBLIC_URL, ...credential }).map(([name, value]) => `${name}: ${value}`)
  const handshake = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  const octets = buildRequest('GET /api/x/ws', [...headers, ...handshake]).replace(
    'Connection: close',
    'Connection: Upgrade',
  )
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(await sendRaw(port, octets))?.[1])
}

/** An API that answers every call with the token that it got, and refuses every WebSocket. */
export const echoToken: Parameters<typeof buildProxy>[1] = (incoming, answer) => {
  incoming.resume()
  if (incoming.headers.upgrade !== undefined) answer.statusCode = 403
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify({ token: incoming.headers.authorization ?? null, path: incoming.url }))
}
