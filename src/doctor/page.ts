import { Agent, request } from 'undici'

/** A sign-in page is far smaller; what is larger is read no further. */
const OCTETS_MAX = 2 * 1024 * 1024

/** One answer, as a browser gets it before it follows or shows anything. */
export interface Page {
  readonly status: number
  /** Absolute; undefined where there is no redirect, or one to nowhere. */
  readonly location: URL | undefined
  readonly contentType: string
  readonly text: string
}

/**
 * Opens an address as a browser would and follows no redirect, unlike the service's own client, which gives none away.
 *
 * @throws what undici and Node throw, for `describeFailure`
 */
export async function fetchPage(address: string, timeoutMs: number): Promise<Page> {
  const agent = new Agent({ connect: { timeout: timeoutMs }, maxResponseSize: OCTETS_MAX })
  try {
    const { statusCode, headers, body } = await request(address, {
      dispatcher: agent,
      method: 'GET',
      headers: {
        accept: 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8',
        'accept-encoding': 'identity',
      },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await body.text()
    const [location] = [headers.location].flat()
    return {
      status: statusCode,
      location: location === undefined ? undefined : (URL.parse(location, address) ?? undefined),
      contentType: [headers['content-type']].flat()[0] ?? '',
      text,
    }
  } finally {
    await agent.destroy()
  }
}
