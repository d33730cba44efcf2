/** Enough to see what goes on, few enough to read. */
const ALL_MAX = 30

const pathOf = ({ path }) => path.split('?', 1)[0]
const isFromUser = ({ from }) => from === 'browser' || from === 'app'
const isAnswered = ({ answer }) => answer !== undefined

/** When an exchange was over; one that still goes on lasts. */
const endOf = ({ answer }) => answer?.at ?? Number.POSITIVE_INFINITY

/** With all that was asked in the course of these. */
function withEffects(chosen, all) {
  const ids = new Set(chosen.map(({ id }) => id))
  return all.filter(({ id, cause }) => ids.has(id) || ids.has(cause))
}

/** From `/auth/start` to the first look at the new session. */
function findSignIn(all) {
  const start = all.findLast((exchange) => pathOf(exchange) === '/auth/start' && exchange.flow !== undefined)
  if (start === undefined) return []
  const own = all.filter(({ flow }) => flow === start.flow)
  const callback = own.find((exchange) => pathOf(exchange) === '/auth/callback' && isAnswered(exchange))
  if (callback === undefined) return withEffects(own, all)
  const isApp = start.path.includes('app=')
  const next = all.find(
    (exchange) =>
      exchange.askedAt > callback.answer.at &&
      exchange.from === (isApp ? 'app' : 'browser') &&
      pathOf(exchange) === (isApp ? '/auth/handoff' : '/auth/session'),
  )
  return withEffects(next === undefined ? own : [...own, next], all)
}

/** A call of the API, and what the API asked while it was at it. */
function findApiCall(all) {
  const call = all.findLast(
    (exchange) => isFromUser(exchange) && pathOf(exchange).startsWith('/api/') && exchange.method !== 'OPTIONS',
  )
  if (call === undefined) return []
  const during = all.filter(({ from, askedAt }) => from === 'api' && askedAt > call.askedAt && askedAt < endOf(call))
  return withEffects([call, ...during], all)
}

/** From `/auth/logout`, over Oten, to `/auth/logged-out`. */
function findSignOut(all) {
  const logout = all.findLast((exchange) => pathOf(exchange) === '/auth/logout' && exchange.method === 'POST')
  if (logout === undefined) return []
  const later = all.filter(({ askedAt }) => askedAt > logout.askedAt)
  const flow = later.find((exchange) => pathOf(exchange) === '/auth/logout/continue')?.flow
  const own = flow === undefined ? [] : later.filter((exchange) => exchange.flow === flow)
  const last = own.findLast(isAnswered)
  const told = later.filter(
    (exchange) => exchange.from === 'oten' && last !== undefined && exchange.askedAt < endOf(last),
  )
  return withEffects([logout, ...own, ...told], all)
}

const FINDERS = { 'sign-in': findSignIn, 'api-call': findApiCall, 'sign-out': findSignOut }

/**
 * @param kind `sign-in`, `api-call`, `sign-out`, `newest` (of these), or `all`
 * @param exchanges in the order in which they began
 * @returns the exchanges of the last one of that kind
 */
export function findJourney(kind, exchanges) {
  if (kind === 'all') return exchanges.slice(-ALL_MAX)
  if (kind !== 'newest') return FINDERS[kind](exchanges)
  const beganAt = ([first]) => first?.askedAt ?? 0
  return Object.values(FINDERS)
    .map((find) => find(exchanges))
    .reduce((newest, journey) => (beganAt(journey) > beganAt(newest) ? journey : newest))
}

/** Requests and answers in the order in which they were sent. */
export const toMessages = (exchanges) =>
  exchanges
    .flatMap((exchange) => {
      const { from, to, askedAt, answer } = exchange
      const request = { isRequest: true, from, to, at: askedAt, exchange }
      return answer === undefined
        ? [request]
        : [request, { isRequest: false, from: to, to: from, at: answer.at, exchange }]
    })
    .sort((a, b) => a.at - b.at)
