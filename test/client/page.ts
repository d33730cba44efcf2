import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type Browser, createBrowser } from '../support/browser.ts'
import { SPA, type World } from '../support/world.ts'

/** What script on the page has sent. */
export interface Sent {
  readonly url: string
  readonly method: string
  readonly credentials: string
}

export interface ClientOnPage {
  readonly client: typeof import('../../client/src/index.ts')
  readonly sent: Sent[]
  /** Whose cookies the page has. */
  readonly browser: Browser
}

let pages = 0

/**
 * The client in a new page of `SPA`, as far as Node has one: an address, and a `fetch` that adds what a browser adds,
 * cookies and `Origin`. The world is one with HS256: the simulator of another would fetch its keys by the same `fetch`.
 */
export async function openClient(t: TestContext, { publicUrl }: Pick<World, 'publicUrl'>): Promise<ClientOnPage> {
  const browser = createBrowser(publicUrl)
  const sent: Sent[] = []
  const realFetch = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    const { url, method, credentials } = request
    sent.push({ url, method, credentials })
    request.headers.set('origin', SPA)
    const isSent = credentials === 'include' || (credentials === 'same-origin' && new URL(url).origin === SPA)
    const cookie = isSent ? await browser.jar.getCookieString(url) : ''
    if (cookie !== '') request.headers.set('cookie', cookie)
    return realFetch(request)
  }
  Object.defineProperty(globalThis, 'location', { value: new URL(SPA), configurable: true })
  t.after(() => {
    globalThis.fetch = realFetch
    Reflect.deleteProperty(globalThis, 'location')
  })
  // All of it is one file, so that each page has a state of its own.
  const client = await import(new URL(`../../client/dist/client.js?page=${++pages}`, import.meta.url).href)
  client.configure({ url: publicUrl })
  return { client, sent, browser }
}

/** A server that answers as it is told, with a status and a text; notes what came. */
export async function startAnswers(t: TestContext, answer: (calls: number) => readonly [status: number, body: string]) {
  const seen: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string }[] = []
  const server = createServer(async (request, response) => {
    seen.push({ headers: request.headers, body: await text(request) })
    const [status, body] = answer(seen.length)
    response.writeHead(status, { 'access-control-allow-origin': SPA }).end(body)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}
