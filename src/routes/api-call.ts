import type { IncomingHttpHeaders } from 'node:http'
import type {} from '@fastify/reply-from' // `reply.from`.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { BffError } from '../errors.ts'
import { buildClientHeaders, buildUpstreamHeaders, type Via } from '../proxy/headers.ts'
import { isReplayable, refusesToken } from '../proxy/invalid-token.ts'
import { buildTraceparent } from '../proxy/trace-context.ts'
import type { Session } from '../session/record.ts'
import type { Refresher } from '../session/refresh.ts'
import type { LastingWatch } from '../session/watch-lasting.ts'

/** Renewed tokens as young as this are not renewed again because an API refuses them: it would refuse the next, too. */
const YOUNG_S = 10

export interface ApiCallDeps {
  readonly refresher: Pick<Refresher, 'refresh'>
  readonly lasting: LastingWatch
  /** Epoch seconds. */
  readonly now: () => number
}

export interface ApiCall {
  /** Without the query, which is passed on as it came. */
  readonly url: string
  /** Its tokens are fresh. */
  readonly session: Session
  readonly via: Via
  /** Told when the call is over, however it ends. */
  readonly onEnd: () => void
}

/** What reply-from hands to `onResponse`; its type says only that it is the answer to the client. */
interface ApiAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly stream: NodeJS.ReadableStream & { destroy(): unknown }
}

const NO_HEADERS = Object.freeze({})

/** One call of an API, with the access token of its session; once more with other tokens where the API refuses these. */
export function passCall(request: FastifyRequest, reply: FastifyReply, call: ApiCall, deps: ApiCallDeps): FastifyReply {
  const { url, session, via, onEnd } = call
  const traceparent = request.traceparent ?? buildTraceparent(request.headers.traceparent)
  const client = createClientSide(reply, session, deps)
  reply.raw.once('close', () => {
    client.leave()
    onEnd()
  })

  const send = (current: Session, mayRenew: boolean): FastifyReply =>
    reply.from(url, {
      rewriteRequestHeaders: (_request, headers) => {
        const { accessToken } = current.record.tokens
        return buildUpstreamHeaders(headers, { accessToken, requestId: request.id, traceparent, via })
      },
      rewriteHeaders: () => NO_HEADERS, // See `answer`, which knows the status, too.
      onResponse: (_request, _reply, response) => {
        const answer = response as unknown as ApiAnswer
        if (!mayRenew || !refusesToken(answer.statusCode, answer.headers)) return client.answer(answer)
        renew(current, deps).then(
          (renewed) => {
            if (client.isGone() || renewed === undefined || !isReplayable(request.headers)) return client.answer(answer)
            discard(answer.stream)
            send(renewed, false)
          },
          () => client.answer(answer), // What the API said still stands.
        )
      },
      onError: (_reply, { error }) => client.fail(error),
    })
  return send(session, true)
}

/** Who waits for the answer, as long as the session lives. */
function createClientSide(reply: FastifyReply, session: Session, { lasting }: ApiCallDeps) {
  let isCut = false
  let isAnswered = false // From then on the reply has the API's headers.
  // A stream or a long poll would go on for whoever signed out: the answer is broken off, or is 401 if it did not begin.
  const leave = lasting.begin(session, () => {
    isCut = true
    if (isAnswered) reply.raw.destroy()
    else reply.send(new BffError('unauthenticated', 'the session ended while the API was called'))
  })

  return {
    leave,

    isGone: (): boolean => isCut || reply.raw.destroyed,

    answer({ statusCode, headers, stream }: ApiAnswer): void {
      if (isCut) {
        discard(stream)
        return
      }
      isAnswered = true
      reply.code(statusCode)
      reply.headers(buildClientHeaders(headers, reply.getHeader('vary')?.toString()))
      reply.send(stream)
    },

    fail(error: Error): void {
      const isLate = error.cause instanceof Error && Reflect.get(error.cause, 'code') === 'UND_ERR_HEADERS_TIMEOUT'
      const code = isLate ? 'upstream_timeout' : 'upstream_unavailable'
      reply.send(new BffError(code, 'the API did not answer', { cause: error }))
    },
  }
}

/** What nobody will read; that it breaks off is meant, and no error. */
function discard(stream: ApiAnswer['stream']): void {
  stream.on('error', () => {}).destroy()
}

/** PX-06: other tokens for a session whose access token an API refuses; undefined when there are none to be had. */
async function renew(session: Session, { refresher, now }: ApiCallDeps): Promise<Session | undefined> {
  const { generation, tokens } = session.record
  const isYoung = generation > 1 && now() - tokens.obtainedAt < YOUNG_S
  if (tokens.refreshToken === undefined || isYoung) return undefined
  return refresher.refresh(session)
}
