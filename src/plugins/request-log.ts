import type { FastifyBaseLogger } from 'fastify'

/** What a request's own log is made of: the log of all, what goes on every line, and the log of the request once made. */
interface Parts {
  readonly parent: FastifyBaseLogger
  readonly bindings: Record<string, unknown>
  own: FastifyBaseLogger | undefined
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const

/**
 * A request's own log, which puts its id on every line. Made with the first line that is written: most requests of a
 * quiet log write none, and to make one costs more than many a hook.
 */
export function createRequestLog(parent: FastifyBaseLogger, bindings: Record<string, unknown>): FastifyBaseLogger {
  const log: Parts = Object.create(REQUEST_LOG) // One small object for a request, and not a set of functions.
  return Object.assign(log, { parent, bindings, own: undefined }) as unknown as FastifyBaseLogger // Its methods: below.
}

function makeOwn(log: Parts): FastifyBaseLogger {
  log.own ??= log.parent.child(log.bindings)
  return log.own
}

function isEnabled({ parent }: Parts, level: string): boolean {
  const ask: unknown = Reflect.get(parent, 'isLevelEnabled')
  return typeof ask === 'function' ? Reflect.apply(ask, parent, [level]) === true : true
}

const REQUEST_LOG = {
  ...Object.fromEntries(
    LEVELS.map((level) => [
      level,
      function write(this: Parts, ...parts: [object, string]): void {
        if (isEnabled(this, level)) makeOwn(this)[level](...parts)
      },
    ]),
  ),
  isLevelEnabled(this: Parts, level: string): boolean {
    return isEnabled(this, level)
  },
  child(this: Parts, ...parts: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return makeOwn(this).child(...parts)
  },
  get level(): string {
    return (this as unknown as Parts).parent.level
  },
  silent(): void {},
}
