import assert from 'node:assert/strict'
import { BffError } from '../../src/errors.ts'

/** What the IdP serves. */
export const answerOf = (octets: Buffer, status: number, contentType = 'application/json'): Response =>
  new Response(new Uint8Array(octets), { status, headers: { 'content-type': contentType } })

/** Undefined where the IdP counts as out of reach; a failure for whatever else is thrown. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    assert.ok(error instanceof BffError && error.code === 'idp_unavailable', `throws ${String(error)}`)
    return undefined
  }
}
