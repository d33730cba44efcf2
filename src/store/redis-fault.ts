import { BffError } from '../errors.ts'

/**
 * What went wrong in one line, safe to log. The client hangs the whole command on its errors, AUTH with its password
 * too, and servers repeat the arguments of commands they do not know: neither goes further than here.
 */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const [line = ''] = error.message.split(/[\r\n]|,? with args/)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const own = line === '' ? code : line.slice(0, 200) // Several failed addresses come as one error without a message.
  return 'lastNodeError' in error && error.lastNodeError instanceof Error
    ? `${own} ${describeFault(error.lastNodeError)}`
    : own
}

/** The one way in which Redis fails towards callers; the cause is in words only. */
export const storeUnavailable = (error: unknown): BffError =>
  new BffError('store_unavailable', 'the session store did not do what was asked', {
    cause: new Error(describeFault(error)),
  })
