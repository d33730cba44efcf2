import type { Metrics } from '../metrics.ts'
import type { Sessions } from './sessions.ts'

/** The same sessions, with their beginnings and ends in the metrics. */
export function countSessions(
  sessions: Sessions,
  { sessionsStarted, sessionsEnded }: Pick<Metrics, 'sessionsStarted' | 'sessionsEnded'>,
): Sessions {
  return {
    ...sessions,
    async create(input) {
      const session = await sessions.create(input)
      sessionsStarted.inc({ kind: input.kind })
      return session
    },
    async end(key, reason) {
      const wasThere = await sessions.end(key, reason)
      if (wasThere) sessionsEnded.inc({ reason })
      return wasThere
    },
  }
}
