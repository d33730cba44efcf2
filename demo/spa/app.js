import { nameOf, showAvatar } from './avatar.js'
import {
  BffFailure,
  callApi,
  ownUrl,
  readSession,
  signInHref,
  signOut,
  startSignIn,
  tellEnded,
  watchSession,
} from './bff.js'
import { startClocks } from './clocks.js'
import { formatJson } from './format-json.js'
import { describeAuthError, describeEnding, describeFailure } from './words.js'

const byId = (id) => document.getElementById(id)

/** What runs while someone is signed in. */
let stopClocks = () => {}
let stopWatching = () => {}
let watchedSession

function setState(state) {
  document.body.dataset.state = state
  for (const view of document.querySelectorAll('.view')) view.hidden = view.dataset.for !== state
  for (const step of document.querySelectorAll('[data-step]')) step.classList.toggle('done', state === 'signed-in')
  byId('story-title').textContent = state === 'signed-in' ? 'What just happened' : 'What happens'
  byId('see-cookies').textContent = document.cookie === '' ? 'none' : document.cookie
}

/** Fills one of the boxes above the card's content; without a title it goes away. */
function say(id, [title, text] = [], errorId = undefined) {
  const parts = [
    ['strong', title],
    ['p', text],
    ['small', errorId && `Error id: ${errorId}`],
  ]
  const elements = parts.flatMap(([tag, content]) => {
    if (!content) return []
    const element = document.createElement(tag)
    element.textContent = content
    return [element]
  })
  byId(id).replaceChildren(...elements)
  byId(id).hidden = elements.length === 0
}

function clearMessages() {
  for (const id of ['auth-error', 'problem', 'notice']) say(id)
  document.querySelector('[data-step="oten"]').classList.remove('failed')
}

function showFailure(error) {
  if (!(error instanceof BffFailure)) throw error
  say('problem', describeFailure(error), error.errorId)
  byId('problem').scrollIntoView({ block: 'nearest' })
}

function showSignedOut() {
  stopClocks()
  stopWatching()
  watchedSession = undefined
  byId('api').hidden = true
  byId('sign-in-link').href = signInHref()
  setState('signed-out')
}

function showSignedIn(view) {
  const { user } = view
  byId('user-name').textContent = nameOf(user)
  byId('user-email').textContent = user.email ?? ''
  byId('user-sub').textContent = user.sub
  byId('session-id').textContent = view.session_id
  showAvatar(byId('avatar'), user)
  stopClocks()
  stopClocks = startClocks(view, () => load())
  watch(view.session_id)
  setState('signed-in')
}

function watch(sessionId) {
  if (watchedSession === sessionId) return
  stopWatching()
  watchedSession = sessionId
  stopWatching = watchSession(({ reason, sessionId: current }) => {
    if (byId('sign-out').ariaBusy === 'true' || current === watchedSession) return
    stopWatching()
    watchedSession = undefined
    void load({ ending: reason }) // Asks: another tab may have signed in anew, and so this one too.
  })
}

/** Shows who is signed in, and says so when that is no longer the one who was. */
async function load({ touch = false, ending = 'expired' } = {}) {
  const before = document.body.dataset.state
  try {
    const view = await readSession({ touch })
    say('problem')
    if (view.authenticated) return showSignedIn(view)
    showSignedOut()
    if (before === 'signed-in') say('notice', [describeEnding(ending)])
  } catch (error) {
    if (before !== 'signed-in') setState('unknown') // Never a false "signed out".
    showFailure(error)
  }
}

/** Runs what a button does, once at a time, and shows what went wrong. */
function onClick(id, action) {
  const button = byId(id)
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    clearMessages()
    try {
      await action()
    } catch (error) {
      showFailure(error)
    } finally {
      button.ariaBusy = 'false'
    }
  })
}

async function showApiCall() {
  const startedAt = performance.now()
  const outcome = await callApi().catch((error) => error)
  if (outcome.status === 401) return load()
  const ms = Math.round(performance.now() - startedAt)
  if (!(outcome instanceof BffFailure)) await load() // The call may have renewed the access token.
  const failed = outcome instanceof BffFailure
  byId('api').hidden = false
  byId('api-request').textContent = 'GET /api/demo/hello'
  byId('api-status').textContent = failed ? `${outcome.status || 'no answer'}` : `${outcome.status} in ${ms} ms`
  byId('api-status').classList.toggle('bad', failed)
  byId('api-result').textContent = formatJson(failed ? { error: outcome.code } : outcome.body)
  if (failed) throw outcome
}

function showAuthError() {
  const code = new URLSearchParams(location.search).get('auth_error')
  if (code === null) return
  history.replaceState(null, '', ownUrl()) // A reload or a bookmark must not show it again.
  say('auth-error', describeAuthError(code))
  document.querySelector('[data-step="oten"]').classList.add('failed')
}

onClick('sign-in', async () => location.assign(await startSignIn()))
onClick('sign-in-silent', async () => location.assign(await startSignIn({ prompt: 'none' })))
onClick('call-api', showApiCall)
onClick('retry', () => load())
onClick('touch', async () => {
  await load({ touch: true })
  if (document.body.dataset.state === 'signed-in') say('notice', ['You stay signed in.'])
})
onClick('sign-out', async () => {
  const logoutUrl = await signOut()
  tellEnded('logout')
  if (logoutUrl !== null) return location.assign(logoutUrl)
  showSignedOut()
  byId('sign-in').focus()
  say('notice', ['You are signed out.'])
})

// Back from the page cache or from another tab: much may have happened since.
addEventListener('pageshow', ({ persisted }) => persisted && void load())
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && document.body.dataset.state === 'signed-in') void load()
})

showAuthError()
await load()
