import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/**
 * Preloaded into a process that should fail as if by a fault of its own: at each SIGUSR2 something is thrown that nobody
 * catches, or rejected that nobody waits for (`TEST_CRASH` is `throw` or `reject`), with what the latest request brought in it.
 * `TEST_FAULT` names the first kind of fault; the next signal takes the next.
 */
export const FAULT_KINDS = ['quoting', 'holding', 'parsing', 'caused', 'many', 'text', 'object'] as const

let latest: IncomingMessage | undefined
subscribe('http.server.request.start', (message) => {
  latest = (message as { request: IncomingMessage }).request
})

function fail(kind: (typeof FAULT_KINDS)[number]): never {
  const { url = '', headers = {} } = latest ?? {}
  const held = { url, headers, environment: { ...process.env } }
  switch (kind) {
    case 'quoting':
      throw new TypeError(`"${url}" could not be fetched, nor https://idp.example/${url}`)
    case 'holding':
      throw Object.assign(new Error('failed'), { code: 'E_FAILED', held, response: { body: JSON.stringify(held) } })
    case 'parsing':
      throw JSON.parse(`${headers.cookie}`) // Throws by itself: no cookie is JSON.
    case 'caused':
      throw new Error('failed', { cause: Object.assign(new Error('inner', { cause: held }), held) })
    case 'many':
      throw new AggregateError([Object.assign(new Error(`at ${url}`), held)], 'several failed')
    case 'text':
      throw `${url} ${headers.cookie}`
    case 'object':
      throw held
  }
}

if (process.env.TEST_CRASH !== undefined) {
  let next = Math.max(0, FAULT_KINDS.map(String).indexOf(String(process.env.TEST_FAULT)))
  process.on('SIGUSR2', () => {
    const kind = FAULT_KINDS[next] ?? 'quoting'
    next = (next + 1) % FAULT_KINDS.length
    if (process.env.TEST_CRASH === 'throw') fail(kind)
    void Promise.resolve().then(() => fail(kind))
  })
}
