import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { TestContext } from 'node:test'

/** An event of a stream (HTML Standard §9.2), its data parsed. */
export interface Heard {
  readonly event: string
  readonly data: Record<string, unknown>
}

export interface EventSource {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** The next event; undefined when the stream has ended. Fails when none comes in time. */
  next(withinMs?: number): Promise<Heard | undefined>
  leave(): Promise<void>
}

/** Opens a stream of server-sent events; it ends with the test. */
export async function openEvents(
  t: Pick<TestContext, 'after'>,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<EventSource> {
  const sent = request(url, { headers, agent: false }).end()
  t.after(() => sent.destroy())
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  let reading: Promise<Heard | undefined> | undefined // One that nobody waits for any more keeps its event for the next.
  const read = async (): Promise<Heard | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end === -1) {
        const { done, value } = (await chunks.next()) as IteratorResult<string>
        if (done) return undefined
        text += value
        continue
      }
      const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
      text = text.slice(end + 2)
      if (event !== '') return { event, data: JSON.parse(data) as Record<string, unknown> }
    }
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    async next(withinMs = 5000) {
      const { promise, reject } = Promise.withResolvers<never>()
      const timer = setTimeout(() => reject(new Error(`no event in ${withinMs} ms`)), withinMs)
      reading ??= read().finally(() => {
        reading = undefined
      })
      return Promise.race([reading, promise]).finally(() => clearTimeout(timer))
    },
    async leave() {
      const closed = once(sent, 'close')
      sent.destroy()
      await closed
    },
  }
}
