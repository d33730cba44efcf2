import { onChange } from './client.js'
import { byId, create } from './dom.js'
import { shareStream } from './shared-stream.js'
import { formatDuration } from './words.js'

const EVENTS_URL = '{{BFF_URL}}/auth/events'
const LINES_MAX = 30

/** In words, what came with an event. */
const WORDS = {
  session: ({ expires_in: endS, idle_expires_in: idleS }) =>
    `ends in ${formatDuration(endS)}, or in ${formatDuration(idleS)} if it is not used`,
  expiring: ({ expires_in: endS, idle_expires_in: idleS }) => `ends in ${formatDuration(Math.min(endS, idleS))}`,
  ended: ({ reason }) => `reason: ${reason}`,
}

function log(name, data) {
  if (WORDS[name] === undefined) return
  const line = create('li', { data: { event: name } })
  line.append(
    create('time', { text: new Date().toLocaleTimeString('en-GB') }),
    create('code', { class: `event ${name}`, text: name }),
    create('span', { text: WORDS[name](JSON.parse(data)) }),
  )
  byId('event-log').append(line)
  byId('events-empty').hidden = true
  if (byId('event-log').children.length > LINES_MAX) byId('event-log').firstElementChild.remove()
}

let watched
let stop = () => {}

// A page that only wants to know who is signed in leaves all of this to `onChange`, which has a stream of its own.
onChange((session) => {
  if (!session.authenticated || session.session_id === watched) return // The old stream tells of its own end.
  stop()
  watched = session.session_id
  stop = shareStream({
    name: `events of ${watched}`,
    open: () => new EventSource(EVENTS_URL, { withCredentials: true }),
    events: Object.keys(WORDS),
    last: 'ended',
    onEvent: log,
  })
})
