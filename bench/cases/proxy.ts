import type { Case } from '../compare.ts'
import { type Question, type StartContender, signedIn } from '../contender.ts'
import { buildRequest, cycle } from '../load/requests.ts'
import type { Place } from '../places.ts'
import { startServer } from '../servers/spawn.ts'
import type { Subject } from '../servers/subject.ts'
import type { Stage } from '../stage.ts'

const CALL: Question = { path: '/api/x/1', expected: { status: 200, contains: '"orders"' } }

/** Both before the same API, and asked the same: what one passes on of a request, the other takes out. */
export async function proxyOfReplyFrom(stage: Stage, place: Place): Promise<Case> {
  const upstream = await upstreamUrl(stage)
  return {
    name: 'proxy, of bare @fastify/reply-from',
    subject: proxy(place, upstream),
    other: asked({ kind: 'reply-from', upstream }, place),
  }
}

/** What it costs to go through the service rather than straight to the API. */
export async function proxyOfDirect(stage: Stage, place: Place): Promise<Case> {
  return {
    name: 'proxy, of the same upstream direct',
    subject: proxy(place, await upstreamUrl(stage)),
    other: asked({ kind: 'upstream' }, place),
  }
}

const upstreamUrl = async (stage: Stage): Promise<string> => `http://127.0.0.1:${(await stage.upstream()).port}`

const proxy = (place: Place, upstream: string): StartContender =>
  signedIn(place, CALL, { API_ROUTES: `/api/x=${upstream}` })

/** With the same cookies, which count for their octets alone. */
const asked =
  (subject: Subject, { credentials = [] }: Place): StartContender =>
  async () => {
    const server = await startServer(subject, { isMeasured: true })
    const requests = credentials.map((value) => buildRequest({ ...CALL, cookie: `oten_session=${value}` }))
    return { ...server, next: cycle(requests), expected: CALL.expected }
  }
