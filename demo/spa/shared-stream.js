/**
 * Holds a stream of events in one of this browser's tabs, which tells the others: over HTTP/1.1 a browser opens six
 * connections to a host, and a stream in each of twenty tabs would leave none for anything else. A page that is put away
 * lets go of it, and takes it up again when it comes back.
 *
 * @param name the same in all tabs
 * @param open makes the `EventSource`
 * @param events names of what is passed on
 * @param last the event after which there is no more
 * @param onEvent called with name and data; with `open` when a stream begins
 * @returns how to stop
 */
export function shareStream({ name, open, events, last, onEvent }) {
  let stopping
  const start = () => {
    stopping = new AbortController()
    const { signal } = stopping
    const channel = new BroadcastChannel(name)
    const hear = ([event, data]) => {
      if (signal.aborted) return
      onEvent(event, data)
      if (event === last) stop()
    }
    const tell = (event, data) => {
      if (signal.aborted) return
      channel.postMessage([event, data])
      hear([event, data])
    }
    channel.onmessage = ({ data }) => hear(data)
    signal.addEventListener('abort', () => channel.close())
    navigator.locks.request(name, { signal }, () => hold({ open, events, tell, signal })).catch(() => {}) // Stopped before its turn.
  }
  const pause = () => stopping.abort()
  const resume = ({ persisted }) => persisted && start()
  const stop = () => {
    pause()
    removeEventListener('pagehide', pause)
    removeEventListener('pageshow', resume)
  }
  addEventListener('pagehide', pause)
  addEventListener('pageshow', resume)
  start()
  return stop
}

/** Listens to the stream until nobody wants it any more, or the server does not. */
function hold({ open, events, tell, signal }) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const source = open()
    const leave = () => {
      source.close()
      resolve()
    }
    source.addEventListener('open', () => tell('open'))
    for (const name of events) source.addEventListener(name, ({ data }) => tell(name, data))
    source.addEventListener('error', () => source.readyState === EventSource.CLOSED && leave())
    signal.addEventListener('abort', leave)
  })
}
