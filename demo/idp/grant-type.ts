import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'

/** @returns the `grant_type` of a token request, whose body stays readable for the provider */
export async function peekGrantType(request: IncomingMessage): Promise<string | undefined> {
  if (request.method !== 'POST') return undefined
  let chunk: Buffer | null = request.read()
  if (chunk === null && !request.readableEnded && !request.complete) {
    // Also ends when the caller goes away in the middle: the provider notices by itself.
    await Promise.race(['readable', 'end', 'close'].map((event) => once(request, event))).catch(() => undefined)
    chunk = request.read()
  }
  if (chunk === null) return undefined
  request.unshift(chunk) // In the same turn as `read`, so that the stream does not end in between.
  return new URLSearchParams(chunk.toString('utf8')).get('grant_type') ?? undefined
}
