/** What the load asks for next: a whole request, ready to send. */
export type NextRequest = () => Buffer

export interface RequestParts {
  readonly path: string
  readonly cookie?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** As a page of the same origin calls. */
export function buildRequest({ path, cookie, headers = {} }: RequestParts): Buffer {
  const fields = {
    host: 'localhost',
    'sec-fetch-site': 'same-origin',
    ...(cookie !== undefined && { cookie }),
    ...headers,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** One after the other, and again from the first. */
export function cycle(requests: readonly Buffer[]): NextRequest {
  let at = 0
  return () => pick(requests, at++ % requests.length)
}

/** Each a single time: a second callback with the same state is an error, and would measure that. */
export function once(requests: readonly Buffer[]): NextRequest {
  let at = 0
  return () => pick(requests, at++)
}

function pick(requests: readonly Buffer[], at: number): Buffer {
  const request = requests[at]
  if (request === undefined) throw new Error(`the load needs more than the ${requests.length} requests prepared for it`)
  return request
}
