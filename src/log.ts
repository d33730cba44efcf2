import pino, { type DestinationStream, type Logger, type LoggerOptions } from 'pino'

export type Log = Logger

/** How deep a chain of causes is logged. */
const CAUSES_MAX = 4

/**
 * From a URL's query to its end, also where a proxy has encoded the question mark: there are the codes, states and tickets.
 * Libraries quote URLs in their messages.
 */
const QUERY = /(?:\?|%3f)[^\s'"]*/gi

/**
 * What an error says of itself, as far as it may be logged: name, code and message. Other properties may hold a response
 * body or a parameter, and a JSON parser's message quotes the text it failed on, which can be a token (LG-01).
 */
export function summarizeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const code: unknown = Reflect.get(error, 'code')
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    ...(!(error instanceof SyntaxError) && { message: error.message.replaceAll(QUERY, '?…') }),
  }
}

/** An error as the log shows it: its summary, where it happened, and its causes likewise. */
export function serializeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return summarizeError(error)
  return {
    ...summarizeError(error),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .join('\n'),
    ...(error.cause !== undefined && depth < CAUSES_MAX && { cause: serializeError(error.cause, depth + 1) }),
  }
}

export const logOptions = (level: string): LoggerOptions => ({
  level,
  serializers: { err: serializeError, error: serializeError },
  // Nothing logs these on purpose; a library that hands us its request object must not either.
  redact: { paths: ['req.headers', 'res.headers', 'headers', '*.headers'], remove: true },
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
})

/**
 * JSON lines on stdout, written without holding up the request that caused them; `flush` before the process ends.
 *
 * @param level one of pino's
 * @param destination where lines go; tests collect them
 */
export function createLog(level: string, destination?: DestinationStream): { log: Log; flush: () => void } {
  if (destination !== undefined) return { log: pino(logOptions(level), destination), flush: () => {} }
  const stdout = pino.destination({ dest: 1, sync: false })
  return { log: pino(logOptions(level), stdout), flush: () => stdout.flushSync() }
}
