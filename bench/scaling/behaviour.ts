/** A number that nobody measured, or that the operator chooses, and why it is this one. */
export interface Parameter {
  readonly value: number
  readonly why: string
}

const assumed = (value: number, what: string): Parameter => ({ value, why: `assumed: ${what}` })
const chosen = (value: number, what: string): Parameter => ({ value, why: `chosen: ${what}` })
const byDefault = (value: number, what: string): Parameter => ({ value, why: `default of ${what}` })
/** Held against the source by a test. */
const built = (value: number, what: string): Parameter => ({ value, why: `built in: ${what}` })

/** Everything the simulation is told. Another site has others: change them here and run `simulate.ts --write`. */
export const PARAMETERS = {
  visitsPerDay: assumed(1.5, 'visits of a user by browser, a day'),
  pagesPerVisit: assumed(8, 'pages of a visit, on average (geometric)'),
  pageS: assumed(45, 'seconds between two pages, on average (exponential)'),
  callsPerPage: assumed(5, 'API calls of a page, beside one session check'),
  signOutShare: assumed(0.2, 'visits that end with a sign-out; the others run out'),
  streamShare: assumed(1, 'visits that hold one event stream open'),
  appShare: assumed(0.5, 'users with the app'),
  devicesPerAppUser: assumed(1.3, 'devices of a user with the app'),
  opensPerDay: assumed(4, 'times that a device opens the app, a day'),
  screensPerOpen: assumed(4, 'screens of an opening, on average (geometric)'),
  screenS: assumed(20, 'seconds between two screens, on average (exponential)'),
  callsPerScreen: assumed(3, 'API calls of a screen; one session check for each opening'),
  appSignInDays: assumed(60, 'days between two sign-ins of a device; after 90 the session is over in any case'),
  verifyShare: assumed(0, 'calls that come as `verify` of a proxy, and not through `/api`'),
  listsPerDay: assumed(0.02, 'looks of a user at the list of sessions, a day'),
  endsPerDay: assumed(0.005, 'other sessions that a user ends, a day'),
  backchannelPerDay: assumed(0.02, 'back-channel logouts of a user, a day'),
  depthOfNight: assumed(0.8, 'of the daily curve 1 - depth · cos(2πt): the peak is 1.8 times the mean'),
  accessTokenS: assumed(1_800, 'life of an access token; that of Oten is unknown until seen in `expires_in`'),
  idleS: byDefault(3_600, '`SESSION_IDLE_S`'),
  maxS: byDefault(43_200, '`SESSION_MAX_S`'),
  noteS: built(60, 'how often a use is noted at most'),
  cacheSessions: built(8_192, 'opened sessions that a replica remembers at most'),
  lookS: built(30, 'time between two looks of an event stream'),
  coreShare: chosen(0.6, 'how busy the core of a replica, or of Redis, may be at the peak'),
  spareReplicas: chosen(1, 'replicas beyond what the peak needs'),
  streamsPerReplica: chosen(20_000, 'event streams that a replica may hold'),
  redisGb: chosen(16, 'GB of sessions that one Redis may hold (a fork for a snapshot can double it)'),
} as const satisfies Readonly<Record<string, Parameter>>

export type Settings = Readonly<Record<keyof typeof PARAMETERS, number>>

export const SETTINGS: Settings = Object.fromEntries(
  Object.entries(PARAMETERS).map(([name, { value }]) => [name, value]),
) as Settings // The same names.
