import { BffError, fetch, onChange } from './client.js'
import { describeDevice, formatAgo } from './devices.js'
import { byId, create, runOnClick, say } from './dom.js'
import { describeFailure } from './words.js'

const PATH = '/auth/sessions'

/** @throws {BffError} when it did not answer, or with no success */
async function ask(path = PATH, method = 'GET') {
  const response = await fetch(path, { method, cache: 'no-store' }).catch(() => undefined)
  const answer = (await response?.json().catch(() => undefined)) ?? {} // 204 has none.
  if (!response?.ok) throw new BffError(response?.status ?? 0, answer)
  return answer
}

const nowS = () => Date.now() / 1000

/** One device: what it is, since when, and the way to sign it out. */
function createItem(session) {
  const { title, kind, isPhone } = describeDevice(session)
  const times = `${kind} · signed in ${formatAgo(session.created_at, nowS())} · last used ${formatAgo(session.last_used_at, nowS())}`
  const name = create('p', { class: 'device-name', text: title })
  if (session.current) name.append(create('span', { class: 'badge', text: 'This one' }))
  const about = create('div', { class: 'device-about' }, name, create('p', { class: 'muted', text: times }))
  const data = { sessionId: session.session_id, kind: session.kind, current: String(session.current) }
  const icon = create('span', { class: isPhone ? 'device-icon phone' : 'device-icon', 'aria-hidden': 'true' })
  const item = create('li', { data }, icon, about)
  if (!session.current) item.append(createEnd(session, title))
  return item
}

function createEnd({ session_id: id, created_at: createdAt }, title) {
  const more = create('span', { class: 'hidden', text: ` ${title}, signed in ${formatAgo(createdAt, nowS())}` })
  const button = create(
    'button',
    { type: 'button', class: 'button small', data: { testid: 'end-session' }, text: 'Sign out' },
    more,
  )
  runOnClick(button, () =>
    change(async () => {
      await ask(`${PATH}/${encodeURIComponent(id)}`, 'DELETE')
      byId('devices').focus() // The button is about to go.
      return `${title} is signed out.`
    }),
  )
  return button
}

async function showList() {
  const { sessions } = await ask()
  const sorted = sessions.toSorted((a, b) => Number(b.current) - Number(a.current) || b.last_used_at - a.last_used_at)
  byId('session-list').replaceChildren(...sorted.map(createItem))
  byId('end-others').hidden = sessions.length < 2
}

/** Does something to the list, says so, and shows what is true then; also when it did not work. */
async function change(action) {
  try {
    const done = await action()
    await showList()
    say('devices-notice', [done])
  } catch (error) {
    if (!(error instanceof BffError)) throw error
    say('devices-notice', describeFailure(error), error.errorId)
  }
}

runOnClick(byId('end-others'), () =>
  change(async () => {
    const { ended } = await ask(PATH, 'DELETE')
    byId('devices').focus()
    return ended === 1 ? 'One other device is signed out.' : `${ended} other devices are signed out.`
  }),
)
const look = () => change(() => undefined)
runOnClick(byId('reload-sessions'), look)

let isSignedIn = false
onChange((session) => {
  isSignedIn = session.authenticated
  for (const part of byId('devices').querySelectorAll('[data-when]')) {
    part.hidden = (part.dataset.when === 'signed-in') !== isSignedIn
  }
  say('devices-notice')
  if (isSignedIn) void look()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && isSignedIn) void look()
})
