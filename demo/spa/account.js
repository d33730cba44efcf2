import { callApi } from './api-call.js'
import { nameOf, showAvatar } from './avatar.js'
import { authError, BffError, getSession, onChange, signIn, signInUrl, signOut } from './client.js'
import { startClocks } from './clocks.js'
import { byId, runOnClick, say } from './dom.js'
import { describeAuthError, describeEnding, describeFailure } from './words.js'

let stopClocks = () => {}

function setState(state) {
  document.body.dataset.state = state
  for (const view of document.querySelectorAll('.view')) view.hidden = view.dataset.for !== state
  for (const step of document.querySelectorAll('[data-step]')) step.classList.toggle('done', state === 'signed-in')
  byId('story-title').textContent = state === 'signed-in' ? 'What just happened' : 'What happens'
  byId('see-cookies').textContent = document.cookie === '' ? 'none' : document.cookie
}

function showSignedOut() {
  stopClocks()
  byId('api').hidden = true
  byId('sign-in-link').href = signInUrl()
  setState('signed-out')
}

function showSignedIn(session) {
  const { user } = session
  byId('user-name').textContent = nameOf(user)
  byId('user-email').textContent = user.email ?? ''
  byId('user-sub').textContent = user.sub
  byId('session-id').textContent = session.session_id
  showAvatar(byId('avatar'), user)
  stopClocks()
  stopClocks = startClocks(session, () => load())
  setState('signed-in')
}

/** Shows who is signed in, and says so when that is no longer the one who was. */
function show(session, reason) {
  if (byId('sign-out').ariaBusy === 'true') return // The page is about to leave.
  const wasSignedIn = document.body.dataset.state === 'signed-in'
  say('problem')
  if (session.authenticated) return showSignedIn(session)
  showSignedOut()
  if (wasSignedIn) say('notice', [describeEnding(reason)])
}

function showFailure(error) {
  if (!(error instanceof BffError)) throw error
  say('problem', describeFailure(error), error.errorId)
  byId('problem').scrollIntoView({ block: 'nearest' })
}

function showUnknown(error) {
  if (document.body.dataset.state !== 'signed-in') setState('unknown') // Never a false "signed out".
  showFailure(error)
}

/** Asks how much time is left, which is no change that the client tells of. */
const load = (options) => getSession(options).then(show, showUnknown)

function clearMessages() {
  for (const id of ['auth-error', 'problem', 'notice']) say(id)
  document.querySelector('[data-step="oten"]').classList.remove('failed')
}

const onClick = (id, action) =>
  runOnClick(byId(id), () => {
    clearMessages()
    return action().catch(showFailure)
  })

onClick('sign-in', () => signIn())
onClick('sign-in-silent', () => signIn({ prompt: 'none' }))
onClick('retry', () => load())
onClick('call-api', async () => {
  await callApi()
  await load() // The call may have renewed the access token.
})
onClick('touch', async () => {
  await load({ touch: true })
  if (document.body.dataset.state === 'signed-in') say('notice', ['You stay signed in.'])
})
onClick('sign-out', () => signOut({ returnTo: location.pathname + location.search }))

addEventListener('pageshow', ({ persisted }) => persisted && void load())
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && document.body.dataset.state === 'signed-in') void load()
})

const code = authError()
if (code !== undefined) {
  say('auth-error', describeAuthError(code))
  document.querySelector('[data-step="oten"]').classList.add('failed')
}
onChange(show, showUnknown)
