import type { ServerResponse } from 'node:http'
import type { EndReason, SessionEvent, SessionEvents } from '../session/events.ts'
import { endsAt, type Session } from '../session/record.ts'
import type { Sessions } from '../session/sessions.ts'
import { buildSessionView } from '../session/view.ts'

/** A proxy on the way closes what says nothing for a minute. */
const HEARTBEAT_MS = 20_000

/** What may wait for a client that does not read; more, and it is gone. */
const UNREAD_OCTETS_MAX = 64 * 1024

/** How long before its end a session is said to be ending, seconds. */
const EXPIRING_S = 60

/** Longest sleep between looks at the session; other tabs slide its idle limit meanwhile. */
const LOOK_MS_MAX = 30_000

/** After messages may have been lost, all streams of all replicas look at their sessions: not all in the same moment. */
const GAP_SPREAD_MS = 1_500

export interface EventStreamDeps {
  readonly sessions: Pick<Sessions, 'reload' | 'findEnd'>
  readonly events: Pick<SessionEvents, 'listen'>
  /** Epoch seconds. */
  readonly now: () => number
}

/** What happens to one session, told to one tab. */
export interface EventStream {
  /** Hears from now on; tells once it is open. @throws {BffError} store_unavailable */
  listen(): Promise<void>
  open(response: ServerResponse): void
  close(): void
}

/** @param onClose once, whoever closes it: the client, the end of the session, the end of the process */
export function createEventStream(
  initial: Session,
  { sessions, events, now }: EventStreamDeps,
  onClose: () => void,
): EventStream {
  let session = initial
  let stopListening = (): void => {}
  let timer: NodeJS.Timeout | undefined
  let toldExpiring = false
  let closed = false

  const close = (): void => {
    if (closed) return
    closed = true
    clearTimeout(timer)
    stopListening()
    channel.close()
    onClose()
  }
  const channel = createChannel(close)

  const end = (reason: EndReason | 'expired'): void => {
    if (!closed) channel.send('ended', { reason })
    close()
  }

  /** Looks at the session as it is now, tells what is new, and comes back when something is due. */
  const look = async (tellView: boolean): Promise<void> => {
    clearTimeout(timer)
    const found = await sessions.reload(session).catch(() => session) // A store that is away ends nobody's stream.
    if (closed) return
    if (found === undefined) return end(await findReason(session, { sessions, now }))
    const isNews = found.record.generation > session.record.generation // Though nobody may have told.
    if (found.record.generation >= session.record.generation) session = found // Two looks may overlap.
    const leftS = endsAt(session) - now()
    if (leftS <= 0) return end('expired')
    if (tellView || isNews) channel.send('session', buildSessionView(session, now()))
    if (leftS > EXPIRING_S) toldExpiring = false
    else if (!toldExpiring) {
      toldExpiring = true
      channel.send('expiring', buildSessionView(session, now()))
    }
    const dueMs = (leftS > EXPIRING_S ? leftS - EXPIRING_S : leftS) * 1000
    clearTimeout(timer) // Of another look that went on meanwhile.
    timer = setTimeout(() => void look(false), Math.min(LOOK_MS_MAX, Math.max(50, dueMs)))
  }

  const hear = (event: SessionEvent): void => {
    if (event.type === 'ended') end(event.reason)
    else if (event.type === 'refreshed') void look(true)
    else {
      clearTimeout(timer)
      timer = setTimeout(() => void look(false), Math.random() * GAP_SPREAD_MS)
    }
  }

  return {
    async listen() {
      stopListening = await events.listen(initial.key, hear)
      if (closed) stopListening()
    },

    open(response) {
      // Gone or broken, perhaps already: or a listener and a timer would stay for every tab that was ever open.
      if (response.destroyed) return close()
      response.once('close', close)
      channel.open(response)
      if (!closed) void look(true)
    },

    close,
  }
}

/** Why a session is not there any more, for a listener that was not told. */
async function findReason(
  session: Session,
  { sessions, now }: Pick<EventStreamDeps, 'sessions' | 'now'>,
): Promise<EndReason | 'expired'> {
  const reason = await sessions.findEnd(session.key).catch(() => undefined)
  return reason ?? (now() >= endsAt(session) ? 'expired' : 'revoked')
}

/** Server-sent events on one response (HTML Standard §9.2); what is sent before it is open waits for that. */
function createChannel(onBroken: () => void) {
  let response: ServerResponse | undefined
  let heartbeat: NodeJS.Timeout | undefined
  let waiting = ''
  let closed = false

  const write = (text: string): void => {
    if (response === undefined) waiting += text
    else if (response.writableLength > UNREAD_OCTETS_MAX) response.destroy()
    else response.write(text)
  }

  return {
    send: (event: string, data: unknown): void => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),

    open(opened: ServerResponse): void {
      response = opened
      opened.once('error', onBroken)
      if (waiting !== '') opened.write(waiting)
      if (closed)
        opened.end() // It ended while it began.
      else heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS)
    },

    close(): void {
      closed = true
      clearInterval(heartbeat)
      response?.end()
    },
  }
}
