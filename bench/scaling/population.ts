import type { Settings } from './behaviour.ts'
import { createRandom, drawCount, drawTimeOfDay, drawWait } from './random.ts'

const DAY_S = 86_400
const DAY_MIN = 1_440
/** Peaks are of so many minutes: shorter ones are chance. */
const PEAK_MIN = 15

/** One stay of a user, by browser or in an app: when it asked the service for what. */
export interface Visit {
  readonly kind: 'browser' | 'app'
  /** Seconds of the day at which anything was asked of the service, in order. */
  readonly calls: readonly number[]
}

/** What a number of users do on one day, each minute. */
export interface Population {
  readonly users: number
  /** By action, each minute. */
  readonly perMinute: ReadonlyMap<string, Float64Array>
  /** Sessions in the store, and event streams that are open, each minute. */
  readonly stored: Float64Array
  readonly streams: Float64Array
  /** Sessions that are in use. */
  readonly active: Float64Array
  readonly visits: readonly Visit[]
  /** How many requests lie between two notes of the use or refreshes, which make every replica read again. */
  readonly runs: readonly number[]
}

interface Day {
  count(action: string, atS: number): void
  hold(series: Float64Array, fromS: number, toS: number): void
}

/** Lives one day of so many users. The same settings and seed give the same day. */
export function simulateDay(settings: Settings, users: number, seed: number): Population {
  const random = createRandom(seed)
  const perMinute = new Map<string, Float64Array>()
  const stored = new Float64Array(DAY_MIN)
  const streams = new Float64Array(DAY_MIN)
  const active = new Float64Array(DAY_MIN)
  const visits: Visit[] = []
  const runs: number[] = []
  const minuteOf = (atS: number): number => Math.floor((((atS % DAY_S) + DAY_S) % DAY_S) / 60)
  const day: Day = {
    count(action, atS) {
      const series = perMinute.get(action) ?? new Float64Array(DAY_MIN)
      perMinute.set(action, series)
      const minute = minuteOf(atS)
      series[minute] = (series[minute] ?? 0) + 1
    },
    hold(series, fromS, toS) {
      for (let atS = fromS; atS < Math.min(toS, fromS + DAY_S); atS += 60) {
        const minute = minuteOf(atS)
        series[minute] = (series[minute] ?? 0) + 1
      }
    },
  }
  const draw = (): number => drawTimeOfDay(random, settings.depthOfNight) * DAY_S
  const some = (mean: number, action: string): void => {
    for (let left = drawCount(random, mean); left > 0; left--) day.count(action, draw())
  }
  const note = ({ visit, runs: own }: Stay): void => {
    visits.push(visit)
    runs.push(...own)
    const [first = 0] = visit.calls
    day.hold(active, first, (visit.calls.at(-1) ?? first) + 60)
  }
  for (let user = 0; user < users; user++) {
    for (let left = drawCount(random, settings.visitsPerDay); left > 0; left--) {
      note(visitByBrowser(settings, random, day, draw(), { stored, streams }))
    }
    const devices = random() < settings.appShare ? 1 + drawCount(random, settings.devicesPerAppUser - 1) : 0
    for (let device = 0; device < devices; device++) {
      day.hold(stored, 0, DAY_S) // Its session lives for months.
      if (random() < 1 / settings.appSignInDays) signInApp(day, draw())
      for (let left = drawCount(random, settings.opensPerDay); left > 0; left--) {
        note(openApp(settings, random, day, draw()))
      }
    }
    some(settings.listsPerDay, 'list of 3 sessions')
    some(settings.endsPerDay, 'end one of 3 sessions')
    some(settings.backchannelPerDay, 'back-channel logout of 1 session')
  }
  return { users, perMinute, stored, streams, active, visits, runs }
}

interface Stay {
  readonly visit: Visit
  readonly runs: readonly number[]
}

function visitByBrowser(
  settings: Settings,
  random: () => number,
  day: Day,
  startS: number,
  { stored, streams }: { readonly stored: Float64Array; readonly streams: Float64Array },
): Stay {
  for (const step of ['start', 'callback']) day.count(`sign-in of a page: ${step}`, startS)
  const stay = stayFor(settings, random, day, startS, {
    kind: 'browser',
    steps: settings.pagesPerVisit,
    stepS: settings.pageS,
    calls: settings.callsPerPage,
    checksEach: true,
    tokenAgeS: 0,
  })
  const endS = stay.visit.calls.at(-1) ?? startS
  if (random() < settings.streamShare) {
    day.count('event stream: opened', startS)
    day.hold(streams, startS, endS + settings.pageS)
  }
  const signsOut = random() < settings.signOutShare
  for (const step of signsOut ? ['', ': on to the IdP', ': back from the IdP'] : []) day.count(`sign-out${step}`, endS)
  day.hold(stored, startS, signsOut ? endS : Math.min(endS + settings.idleS + 60, startS + settings.maxS))
  return stay
}

/** An app's tokens have mostly run out since it was opened last. */
const openApp = (settings: Settings, random: () => number, day: Day, startS: number): Stay =>
  stayFor(settings, random, day, startS, {
    kind: 'app',
    steps: settings.screensPerOpen,
    stepS: settings.screenS,
    calls: settings.callsPerScreen,
    checksEach: false,
    tokenAgeS: Number.POSITIVE_INFINITY,
  })

function signInApp(day: Day, atS: number): void {
  for (const step of ['start', 'callback', 'handoff']) day.count(`sign-in of an app: ${step}`, atS)
}

interface StayPlan {
  readonly kind: Visit['kind']
  readonly steps: number
  readonly stepS: number
  readonly calls: number
  /** A page asks who is signed in whenever it is loaded, an app once. */
  readonly checksEach: boolean
  readonly tokenAgeS: number
}

/** Pages or screens, one after another: each asks who is signed in, or not, and calls APIs. */
function stayFor(settings: Settings, random: () => number, day: Day, startS: number, plan: StayPlan): Stay {
  const calls: number[] = []
  const runs: number[] = []
  let run = 0
  let notedAt = plan.kind === 'app' ? Number.NEGATIVE_INFINITY : startS
  let renewedAt = startS - plan.tokenAgeS
  let atS = startS
  const interrupt = (action: string): void => {
    day.count(action, atS)
    runs.push(run)
    run = 0
  }
  for (let step = 0; step === 0 || random() < 1 - 1 / plan.steps; step++) {
    if (step > 0) atS += drawWait(random, plan.stepS)
    calls.push(atS)
    if (step === 0 || plan.checksEach) {
      day.count('session check, again', atS)
      run += 1
    }
    for (let call = 0; call < plan.calls; call++) {
      if (atS - renewedAt > settings.accessTokenS - 60) {
        interrupt('refresh with rotation')
        renewedAt = atS
      }
      if (atS - notedAt >= settings.noteS) {
        interrupt('verify that notes the use') // On top of the call itself.
        notedAt = atS
      }
      day.count(random() < settings.verifyShare ? 'verify' : 'proxied call', atS)
      run += 1
    }
  }
  runs.push(run)
  return { visit: { kind: plan.kind, calls }, runs: runs.filter((length) => length > 0) }
}

/** Of all quarters of an hour, the one with the most of what a series counts. @returns its first minute */
export function findPeak(series: readonly Float64Array[]): number {
  let peak = 0
  let most = -1
  for (let from = 0; from + PEAK_MIN <= DAY_MIN; from++) {
    const sum = series.reduce((total, one) => total + sumOf(one, from), 0)
    if (sum > most) [peak, most] = [from, sum]
  }
  return peak
}

/** A minute's worth, on average over the peak that begins there. */
export const meanAt = (series: Float64Array | undefined, from: number): number =>
  series === undefined ? 0 : sumOf(series, from) / PEAK_MIN

const sumOf = (series: Float64Array, from: number): number => {
  let sum = 0
  for (let minute = from; minute < from + PEAK_MIN; minute++) sum += series[minute] ?? 0
  return sum
}
