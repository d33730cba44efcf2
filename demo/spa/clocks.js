import { formatDuration } from './words.js'

const LOW_S = 60

/** The service rounds up, so it may still say yes at zero. */
const GRACE_MS = 500

const CLOCKS = [
  { member: 'expires_in', name: 'session', over: 'over' },
  { member: 'idle_expires_in', name: 'idle', over: 'over' },
  { member: 'access_token_expires_in', name: 'token', over: 'renewed at the next call' },
]

/**
 * Counts down what the session view said, without asking again: a page that polls would have to take care not to keep its
 * user signed in for ever.
 *
 * @param onOver called when the session must have ended
 * @returns how to stop
 */
export function startClocks(view, onOver) {
  const startedAt = performance.now()
  const fullS = rememberFull(view)
  const tick = () => {
    const passedS = (performance.now() - startedAt) / 1000
    for (const clock of CLOCKS) show(clock, Math.max(0, Math.ceil(view[clock.member] - passedS)), fullS[clock.member])
    if (passedS < Math.min(view.expires_in, view.idle_expires_in)) return
    clearInterval(timer)
    setTimeout(onOver, GRACE_MS)
  }
  const timer = setInterval(tick, 1000)
  tick()
  return () => clearInterval(timer)
}

function show({ name, over }, seconds, fullS) {
  const value = document.getElementById(`${name}-clock`)
  value.textContent = seconds === 0 ? over : formatDuration(seconds)
  value.dataset.seconds = String(seconds)
  const bar = document.getElementById(`${name}-bar`)
  bar.style.transform = `scaleX(${fullS > 0 ? seconds / fullS : 0})`
  bar.classList.toggle('low', seconds <= LOW_S)
}

/** How long a full bar is: the most that this session has shown, also before a reload. */
function rememberFull(view) {
  const key = `full:${view.session_id}`
  const known = JSON.parse(sessionStorage.getItem(key) ?? '{}')
  const full = Object.fromEntries(CLOCKS.map(({ member }) => [member, Math.max(view[member], known[member] ?? 0)]))
  sessionStorage.setItem(key, JSON.stringify(full))
  return full
}
