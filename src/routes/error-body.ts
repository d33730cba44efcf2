import { type TSchema, Type } from 'typebox'
import { BffError, type ErrorCode } from '../errors.ts'

/** The one shape of every failure (contract §8). */
export const ErrorBody = Type.Object(
  {
    error: Type.String({ description: 'Stable code' }),
    error_description: Type.String({ description: 'A fixed sentence; never an echo of input' }),
    error_id: Type.String({ description: 'Request id, also in the log' }),
  },
  { additionalProperties: false },
)

/** The response schemas of a route's failures, by status. `server_error` belongs to every route. */
export function errorResponses(...codes: readonly ErrorCode[]): Record<number, TSchema> {
  const byStatus = new Map<number, string[]>()
  for (const code of [...codes, 'store_unavailable', 'server_error'] as const) {
    const error = new BffError(code, '')
    byStatus.set(error.statusCode, [...(byStatus.get(error.statusCode) ?? []), error.wireCode])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      { ...ErrorBody, description: names.map((name) => `\`${name}\``).join(', ') },
    ]),
  )
}
