import type { ErrorBody } from './api.ts'

/** oten-bff did not do what it was asked, or did not answer at all. */
export class BffError extends Error {
  override readonly name = 'BffError'
  /** HTTP status; 0: no answer. */
  declare readonly status: number
  /** Stable code of the service, such as `store_unavailable`; `no_answer` where there is none of the service itself. */
  declare readonly code: string
  /** Also in the log of the service. */
  declare readonly errorId: string | undefined
  /** Seconds after which it makes sense to ask again. */
  declare readonly retryAfterS: number | undefined

  constructor(status: number, body: Partial<ErrorBody>, retryAfterS?: number, options?: ErrorOptions) {
    super(body.error_description ?? 'The service did not answer.', options)
    Object.assign(this, { status, code: body.error ?? 'no_answer', errorId: body.error_id, retryAfterS })
  }
}

/** @param response any that is no success; what stands before the service may have made it */
export async function readFailure(response: Response): Promise<BffError> {
  const body = (await response.json().catch(() => {})) as Partial<ErrorBody> | undefined
  return new BffError(response.status, body ?? {}, Number(response.headers.get('retry-after')) || undefined)
}
