const BROWSERS = [
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]

const SYSTEMS = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Macintosh/, 'macOS'],
  [/Linux/, 'Linux'],
]

const find = (table, text) => table.find(([pattern]) => pattern.test(text))?.[1]

/** What people would call a session: a `User-Agent` says it roughly, and anyone may send any. */
export function describeDevice({ kind, app, user_agent: userAgent }) {
  if (kind === 'app') return { title: `App “${app}” on a phone`, kind: 'App', isPhone: true }
  const [browser, system] = [find(BROWSERS, userAgent) ?? 'A browser', find(SYSTEMS, userAgent)]
  const title = system === undefined ? browser : `${browser} on ${system}`
  return { title, kind: 'Browser', isPhone: system === 'iOS' || system === 'Android' }
}

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
]
const format = new Intl.RelativeTimeFormat('en', { numeric: 'always' })

/** `just now`, `5 minutes ago` */
export function formatAgo(atS, nowS) {
  const seconds = Math.max(0, nowS - atS)
  const [size, unit] = UNITS.find(([length]) => seconds >= length) ?? []
  return unit === undefined ? 'just now' : format.format(-Math.floor(seconds / size), unit)
}
