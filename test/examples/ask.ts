import { type IncomingHttpHeaders, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The connection, when the protocol was switched. */
  readonly socket?: Duplex
}

export interface Question {
  readonly method?: string
  /** Names and values as they are put on the wire, repeated ones too. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string
}

/** Sends a request as it stands: no header of its own but `Host` and the length, and the path is not tidied up. */
export function ask(url: string, path: string, { method = 'GET', headers = [], body }: Question = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { host, hostname, port } = new URL(url)
  const length = body === undefined ? [] : [['content-length', `${Buffer.byteLength(body)}`] as const]
  const lines = [['host', host] as const, ...length, ...headers].flat()
  const sent = request({ hostname, port, path, method, headers: lines, agent: false, setDefaultHeaders: false })
  sent.on('response', (response) => {
    const { statusCode: status = 0, headers: received } = response
    text(response).then((content) => resolve({ status, headers: received, body: content }), reject)
  })
  sent.on('upgrade', ({ statusCode: status = 0, headers: received }, socket) => {
    resolve({ status, headers: received, body: '', socket })
  })
  sent.on('error', reject)
  sent.end(body)
  return promise
}
