import { once } from 'node:events'
import { type Agent, request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** One answer as it came over the wire; repeated header lines stay apart. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export const headerOf = ({ headers }: RawAnswer, name: string): string | undefined =>
  headers.find(([found]) => found === name)?.[1]

/** Sends octets as they are, past any client's good manners. @returns all that came back until the other side closed */
export async function sendRaw(port: number, octets: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => {}) // A reset is a way to close.
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk) => {
    received += chunk
  })
  socket.write(octets, 'latin1')
  await once(socket, 'close')
  return received
}

/** A request head and its body; the connection ends with it. */
export const buildRequest = (line: string, headers: readonly string[] = [], body = ''): string =>
  [`${line} HTTP/1.1`, 'Host: bff.example.com', ...headers, 'Connection: close', '', body].join('\r\n')

/** @returns the answers in a stream of octets, in their order; interim ones (1xx) among them */
export function parseAnswers(octets: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = octets; rest !== ''; ) {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) throw new Error(`no whole answer: ${rest.slice(0, 100)}`)
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    })
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1])
    const { body, length } = readBody(rest.slice(end + 4), new Map(headers), status)
    answers.push({ status, headers, body })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}

function readBody(
  rest: string,
  headers: ReadonlyMap<string, string>,
  status: number,
): { body: string; length: number } {
  if (status < 200 || status === 204) return { body: '', length: 0 }
  if (headers.get('transfer-encoding') !== 'chunked') {
    const length = Number(headers.get('content-length') ?? rest.length)
    return { body: rest.slice(0, length), length }
  }
  let body = ''
  for (let at = 0; ; ) {
    const line = rest.indexOf('\r\n', at)
    const size = Number.parseInt(rest.slice(at, line), 16)
    body += rest.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
    if (size === 0) return { body, length: at }
  }
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly agent?: Agent
}

/** A well-formed request by Node's own client, with no header that it was not given. */
export function ask(port: number, path: string, options: AskOptions = {}): Promise<RawAnswer> {
  const { method = 'GET', headers = {}, body, agent } = options
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(
    { host: '127.0.0.1', port, path, method, headers: { ...length, ...headers }, agent: agent ?? false },
    (response) => {
      const pairs = response.rawHeaders.flatMap((name, at, all): [string, string][] =>
        at % 2 === 0 ? [[name.toLowerCase(), all[at + 1] ?? '']] : [],
      )
      text(response).then((read) => resolve({ status: response.statusCode ?? 0, headers: pairs, body: read }), reject)
    },
  )
  sent.on('error', reject)
  sent.end(body)
  return promise
}
