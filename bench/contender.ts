import type { Expected } from './load/connection.ts'
import { buildRequest, cycle, type NextRequest, once, type RequestParts } from './load/requests.ts'
import type { Place } from './places.ts'
import { type Server, startServer } from './servers/spawn.ts'
import type { ServiceSubject, Usage } from './servers/subject.ts'

/** A running server, and what to ask it. */
export interface Contender {
  readonly port: number
  readonly next: NextRequest
  readonly expected: Expected
  usage(): Promise<Usage>
  stop(): Promise<void>
}

/** Starts one in a process of its own: two starts of the same server can differ in speed by a quarter. */
export type StartContender = () => Promise<Contender>

/** What a case asks of a server. */
export interface Question extends Omit<RequestParts, 'cookie'> {
  readonly expected: Expected
  readonly listener?: 'admin'
}

const build = ({ port, usage, stop }: Server, next: NextRequest, expected: Expected): Contender => {
  return { port, next, expected, usage, stop }
}

/** The route that all is held against. */
export const bare: StartContender = async () => {
  const server = await startServer({ kind: 'bare' }, { isMeasured: true })
  return build(server, cycle([buildRequest({ path: '/' })]), { status: 200 })
}

/** The service over a store with sessions; each request comes from another one of them. */
export const signedIn =
  (place: Place, question: Question, env: ServiceSubject['env'] = {}): StartContender =>
  async () => {
    const { subject, nodeOptions } = place
    const server = await startServer({ ...subject, env: { ...subject.env, ...env } }, { isMeasured: true, nodeOptions })
    const credentials = place.credentials ?? server.credentials ?? []
    const requests = credentials.map((value) => buildRequest({ ...question, cookie: `oten_session=${value}` }))
    const { port, adminPort = port } = server
    return build(
      { ...server, port: question.listener === 'admin' ? adminPort : port },
      cycle(requests),
      question.expected,
    )
  }

/** The service, asked by browsers that have no session. */
export const anonymous =
  (subject: ServiceSubject, question: Question): StartContender =>
  async () => {
    const server = await startServer(subject, { isMeasured: true })
    return build(server, cycle([buildRequest(question)]), question.expected)
  }

/** The service, called back once for each sign-in that it has begun. */
export const calledBack =
  (subject: ServiceSubject, expected: Expected): StartContender =>
  async () => {
    const server = await startServer(subject, { isMeasured: true })
    const requests = (server.callbacks ?? []).map(({ path, cookie }) => buildRequest({ path, cookie }))
    return build(server, once(requests), expected)
  }
