import { shareStream } from '../shared-stream.js'

/** What happened between the parties so far, by id. */
const known = new Map()

function learn(exchange) {
  // What was asked for a moment ago may be older than what the stream has said since.
  if (exchange.answer !== undefined || known.get(exchange.id)?.answer === undefined) known.set(exchange.id, exchange)
}

/** @param onNews called with all exchanges in the order in which they began, now and whenever there is more */
export function watchExchanges(onNews) {
  let isDue = false
  const tell = () => {
    if (isDue) return
    isDue = true
    requestAnimationFrame(() => {
      isDue = false
      onNews([...known.values()].sort((a, b) => a.askedAt - b.askedAt))
    })
  }
  const catchUp = async () => {
    const response = await fetch('/exchanges/all')
    for (const exchange of await response.json()) learn(exchange)
    tell()
  }
  shareStream({
    name: 'exchanges',
    open: () => new EventSource('/exchanges/stream'),
    events: ['exchange'],
    onEvent(name, data) {
      if (name === 'open') return void catchUp().catch(() => {}) // The demo is going: there is nothing to show.
      learn(JSON.parse(data))
      tell()
    },
  })
  catchUp().catch(() => {})
}
