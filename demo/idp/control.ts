import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import type { ClientSpec } from './clients.ts'
import { setFaults } from './faults.ts'
import type { JsonObject } from './signing-keys.ts'
import type { Simulator } from './simulator.ts'

type Action = (simulator: Simulator, body: JsonObject) => unknown

const ACTIONS: Readonly<Record<string, Action>> = {
  'GET /control/stats': (simulator) => simulator.stats,
  'POST /control/clock': (simulator, { advance, offset }) => {
    if (typeof offset === 'number') simulator.clock.offsetS = offset
    else if (typeof advance === 'number') simulator.clock.advance(advance)
    else throw new Error('advance or offset must be a number of seconds')
    return { offset: simulator.clock.offsetS }
  },
  'POST /control/faults': (simulator, body) => {
    setFaults(simulator.faults, body)
    return simulator.faults
  },
  'POST /control/end-session': (simulator, { sub, sid }) => {
    if (typeof sub === 'string') return simulator.endSession({ sub })
    if (typeof sid === 'string') return simulator.endSession({ sid })
    throw new Error('sub or sid must be a string')
  },
  'POST /control/rotate-key': (simulator, { keep_old: keepOld }) => ({
    kid: simulator.rotateSigningKey({ keepOld: keepOld !== false }),
  }),
  'POST /control/clients': async (simulator, body) => {
    await simulator.addClient(body as unknown as ClientSpec) // The provider checks each member.
    return { client_id: body.clientId }
  },
}

/**
 * Remote control for a simulator in a process of its own. It can do anything, so it exists only when asked for, and
 * takes JSON only: a page in a browser cannot send that to another origin without being asked first.
 */
export async function answerControl(simulator: Simulator, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const action = ACTIONS[`${req.method} ${req.url}`]
  try {
    if (action === undefined) return send(res, 404, { error: 'not_found' })
    const hasBody = req.method === 'POST'
    if (hasBody && !/^application\/json\b/.test(req.headers['content-type'] ?? '')) {
      return send(res, 415, { error: 'unsupported_media_type', error_description: 'send application/json' })
    }
    const body: unknown = hasBody ? await json(req) : {}
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('the body is not an object')
    send(res, 200, await action(simulator, body as JsonObject)) // Just checked.
  } catch (cause) {
    const description = cause instanceof Error ? cause.message : String(cause)
    send(res, 400, { error: 'invalid_request', error_description: description })
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  res.end(JSON.stringify(body))
}
