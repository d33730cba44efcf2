import type { Case } from '../compare.ts'
import { bare, type Question, signedIn } from '../contender.ts'
import type { Place } from '../places.ts'

/** Who is signed in: what every page asks first. */
export const SESSION: Question = { path: '/auth/session', expected: { status: 200, contains: '"authenticated":true' } }

/** A session that is there. */
export const sessionHit = (place: Place): Case => ({
  name: `session hit, ${place.name}, of bare Fastify`,
  subject: signedIn(place, SESSION),
  other: bare,
})
