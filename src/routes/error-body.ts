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

/** An answer described by its content types. Each way of saying it is a schema of its own. */
export interface DescribedResponse {
  readonly description: string
  readonly content: Readonly<Record<string, { readonly schema: TSchema }>>
}

/** The responses of a route's failures, by status. `server_error` and `store_unavailable` belong to every route. */
export const errorResponses = (...codes: readonly ErrorCode[]): Record<number, DescribedResponse> =>
  describeErrors(codes, { 'application/json': { schema: ErrorBody } })

/** The same for a route that people navigate to: a navigation gets a page. */
export const pageErrorResponses = (...codes: readonly ErrorCode[]): Record<number, DescribedResponse> =>
  describeErrors(codes, {
    'application/json': { schema: ErrorBody },
    'text/html': { schema: Type.String({ description: 'A page with the error id, for navigations' }) },
  })

function describeErrors(
  codes: readonly ErrorCode[],
  content: DescribedResponse['content'],
): Record<number, DescribedResponse> {
  const byStatus = new Map<number, string[]>()
  for (const code of [...codes, 'store_unavailable', 'server_error'] as const) {
    const error = new BffError(code, '')
    byStatus.set(error.statusCode, [...(byStatus.get(error.statusCode) ?? []), error.wireCode])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      { description: names.map((name) => `\`${name}\``).join(', '), content },
    ]),
  )
}
