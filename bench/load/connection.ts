import { connect } from 'node:net'

const HEADER_END = Buffer.from('\r\n\r\n')
const LENGTH = /content-length: (\d+)/i
/** Where the three digits of the status stand in `HTTP/1.1 200 OK`. */
const STATUS_AT = 9

/** What a good answer is like. Without it a service that says "signed out" fast would measure well. */
export interface Expected {
  readonly status: number
  /** Somewhere in head or body. */
  readonly contains?: string
}

/** One keep-alive connection: one request at a time. */
export interface Connection {
  send(request: Buffer): void
  close(): void
}

/**
 * Opens a raw socket. It does next to nothing per answer: a client that builds requests and parses answers costs as much as
 * the server that is measured, and on two cores would be what is measured.
 *
 * @param onAnswer told of each whole answer, and whether it was as expected
 * @param onLost told when the connection fails or ends
 */
export function openConnection(
  port: number,
  expected: Expected,
  onAnswer: (isGood: boolean) => void,
  onLost: (error: Error) => void,
): Promise<Connection> {
  const status = Buffer.from(`${expected.status}`)
  const contains = expected.contains === undefined ? undefined : Buffer.from(expected.contains)
  const isGood = (answer: Buffer): boolean =>
    answer.compare(status, 0, status.length, STATUS_AT, STATUS_AT + status.length) === 0 &&
    (contains === undefined || answer.includes(contains))

  return new Promise((resolve, reject) => {
    let pending: Buffer = Buffer.alloc(0)
    let isOurs = false // The end of the connection.
    const socket = connect(port, '127.0.0.1')
    const connection: Connection = {
      send: (request) => void socket.write(request),
      close: () => {
        isOurs = true
        socket.destroy()
      },
    }
    const lose = (error: Error): void => {
      reject(error)
      if (!isOurs) onLost(error)
      isOurs = true
    }
    socket.setNoDelay(true)
    socket.on('connect', () => resolve(connection))
    socket.on('error', lose)
    socket.on('close', () => lose(new Error('the server closed a connection')))
    socket.on('data', (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      if (!isWhole(pending)) return
      const answer = pending
      pending = Buffer.alloc(0)
      onAnswer(isGood(answer))
    })
  })
}

/** By `Content-Length`, which every answer with a body has here. */
function isWhole(octets: Buffer): boolean {
  const end = octets.indexOf(HEADER_END)
  if (end === -1) return false
  const length = Number(LENGTH.exec(octets.toString('latin1', 0, end))?.[1] ?? 0)
  return octets.length >= end + HEADER_END.length + length
}
