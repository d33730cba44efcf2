import { BffError, readFailure } from './errors.ts'
import { getCredentials, getOrigin } from './origin.ts'

/** Longer than any answer takes: one that never comes would keep the next questions waiting for it. */
const ANSWER_MS = 30_000

/** Asks oten-bff with the session cookie, which no script sees. */
export const send = (path: string, init: RequestInit): Promise<Response> =>
  fetch(getOrigin() + path, { ...init, credentials: getCredentials(), cache: 'no-store' })

/** @returns the JSON of an answer that is a success @throws {BffError} */
export async function call<Answer>(path: string, init?: RequestInit): Promise<Answer> {
  let response: Response | undefined
  try {
    response = await send(path, { ...init, signal: AbortSignal.timeout(ANSWER_MS) })
    if (response.ok) return (await response.json()) as Answer
  } catch (cause) {
    // With a status: a proxy that shows its own page, or an answer that broke off.
    throw new BffError(response?.status ?? 0, {}, undefined, { cause })
  }
  throw await readFailure(response)
}
