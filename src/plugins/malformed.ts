import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { BffError } from '../errors.ts'

type Headers = Readonly<Record<string, string>>

/**
 * What Node's parser refuses has no request and meets no hook: a broken request line, headers beyond 16 KiB, two
 * lengths (request smuggling). It gets the one error shape too, and its connection ends, since nobody knows where the
 * next request would begin.
 *
 * @param headers what every answer carries
 */
export function answerMalformed(app: FastifyInstance, headers: Headers): void {
  app.server.removeAllListeners('clientError') // Fastify's own, of another shape.
  app.server.on('clientError', (fault: NodeJS.ErrnoException, socket: Socket) => {
    if (fault.code === 'ECONNRESET' || socket.destroyed) return
    const error = new BffError('invalid_request', 'the HTTP itself is malformed')
    const errorId = randomUUID()
    // The fault's code alone: the fault itself holds the octets, and with them cookies.
    app.log.info({ request_id: errorId, event: 'refused', code: error.code, reason: fault.code }, 'request refused')
    // Into an answer under way it would be read as part of that; too slow a client is not waiting for it.
    const mayAnswer = socket.writable && socket.bytesWritten === 0 && fault.code !== 'ERR_HTTP_REQUEST_TIMEOUT'
    if (mayAnswer) socket.write(buildAnswer(error, errorId, headers))
    socket.destroySoon()
  })
  // An `Expect` that is not understood may be ignored (RFC 9110 §10.1.1). Node would answer 417 without any header.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
}

function buildAnswer(error: BffError, errorId: string, common: Headers): string {
  const body = JSON.stringify({ error: error.wireCode, error_description: error.description, error_id: errorId })
  const headers = {
    ...common,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${error.statusCode} Bad Request`, ...lines, '', body].join('\r\n')
}
