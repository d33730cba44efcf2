import { connect } from 'node:net'

/** No answer takes longer, on however slow a machine; past it, the service hangs. */
const LIMIT_MS = 20_000

/** How long nothing may come before a request counts as one of which the service waits for the rest. */
const QUIET_MS = 150

export interface WireAnswer {
  readonly status: number
  readonly headers: ReadonlyMap<string, readonly string[]>
  readonly body: string
}

/** What came back on a connection: whole answers, and how it ended. */
export interface Outcome {
  readonly answers: readonly WireAnswer[]
  /** `closed`: by the service. `left`: by us, since the answer is a stream. `hung`: nobody ended it within the limit. */
  readonly end: 'closed' | 'left' | 'hung'
}

/** Reads answers of HTTP/1.1 one after the other, as far as they are whole; without a length an answer is all the rest. */
export function parseAnswers(text: string): WireAnswer[] {
  const answers: WireAnswer[] = []
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at)
    if (headEnd === -1) break
    const [line = '', ...lines] = text.slice(at, headEnd).split('\r\n')
    const headers = new Map<string, string[]>()
    for (const header of lines) {
      const colon = header.indexOf(':')
      const name = header.slice(0, colon).toLowerCase()
      headers.set(name, [...(headers.get(name) ?? []), header.slice(colon + 1).trim()])
    }
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN)
    const { body, end } = readBody(text, headEnd + 4, status, headers)
    answers.push({ status, headers, body })
    at = end
  }
  return answers
}

function readBody(text: string, start: number, status: number, headers: ReadonlyMap<string, readonly string[]>) {
  const [length] = headers.get('content-length') ?? []
  if (status < 200 || status === 204 || status === 304) return { body: '', end: start }
  if (headers.has('transfer-encoding')) return readChunks(text, start)
  // What answers a HEAD has a length and no body; then the next answer, or nothing, begins where the body would.
  const end = length === undefined ? text.length : start + Number(length)
  if (text.startsWith('HTTP/1.1 ', start)) return { body: '', end: start }
  return { body: text.slice(start, end), end }
}

function readChunks(text: string, start: number): { body: string; end: number } {
  let body = ''
  for (let at = start; ; ) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd === -1 || !(size > 0)) return { body, end: lineEnd === -1 ? text.length : lineEnd + 4 }
    body += text.slice(lineEnd + 2, lineEnd + 2 + size)
    at = lineEnd + 2 + size + 2
  }
}

/**
 * Sends octets as they are. Where an answer is to be expected, it is waited for as long as the limit allows; otherwise
 * the connection is half closed once nothing comes any more, as by a client that has said all it has to say.
 */
export function exchange(port: number, octets: Buffer, expectsAnswer: boolean): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  let quiet: NodeJS.Timeout | undefined
  const finish = (end: Outcome['end']): void => {
    clearTimeout(limit)
    clearTimeout(quiet)
    socket.destroy()
    resolve({ answers: parseAnswers(text), end })
  }
  const limit = setTimeout(() => finish('hung'), LIMIT_MS)
  const waitForQuiet = (): void => {
    clearTimeout(quiet)
    if (!expectsAnswer || text !== '') quiet = setTimeout(() => socket.end(), QUIET_MS)
  }
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    text += chunk
    if (/content-type: text\/event-stream/i.test(text)) finish('left')
    else waitForQuiet()
  })
  socket.on('error', () => finish('closed')) // A reset is a way to close, too.
  socket.on('end', () => finish('closed'))
  socket.on('close', () => finish('closed'))
  socket.write(octets, waitForQuiet)
  return promise
}
