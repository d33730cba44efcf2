import { nameOf, showAvatar } from './avatar.js'
import { formatJson } from './format-json.js'
import {
  AppFailure,
  acceptDeepLink,
  callApi,
  followSession,
  forgetSession,
  openSignIn,
  readLastMode,
  readMode,
  readSession,
  signOut,
} from './native.js'

const byId = (id) => document.getElementById(id)

/** The ticket in a logout URL is good for a minute; a link to a spent one would lead nowhere. */
const LOGOUT_LINK_MS = 55_000

const MODES = { cookie: 'Cookie in the HTTP client', token: 'Token in the key store' }

const ERRORS = {
  access_denied: ['You declined', 'Nothing was shared. Sign in whenever you like.'],
  login_required: ['Oten wants to see you', 'Please sign in again.'],
  idp_unavailable: ['Oten cannot be reached', 'Please try again in a moment.'],
  sign_in_failed: ['Signing in did not work', 'Please try again.'],
  foreign_link: [
    'That link was not for this app',
    'It did not belong to a sign-in that was started here, so it was dropped.',
  ],
  invalid_grant: ['That took too long', 'The code has been used or is too old. Please sign in again.'],
  unauthenticated: ['Your session has ended', 'Please sign in again.'],
  rate_limited: ['That was a little too fast', 'Please wait a minute.'],
  upstream_unavailable: ['The API did not answer', 'You are still signed in.'],
  store_unavailable: ['Sessions cannot be looked up', 'You were not signed out. Please try again in a moment.'],
}

function setState(state) {
  document.body.dataset.state = state
  for (const view of document.querySelectorAll('.view')) view.hidden = view.dataset.for !== state
}

/** Fills a box; without content it goes away. */
function say(id, title, ...more) {
  const strong = document.createElement('strong')
  strong.textContent = title ?? ''
  byId(id).replaceChildren(strong, ...more.filter(Boolean))
  byId(id).hidden = title === undefined
}

function small(text) {
  const element = document.createElement('small')
  element.textContent = text
  return element
}

function showFailure(error) {
  if (!(error instanceof AppFailure)) throw error
  const [title, text] = ERRORS[error.code] ?? ['That did not work', error.message]
  say('error', title, text, error.errorId && small(`Error id: ${error.errorId}`))
  byId('error').dataset.code = error.code
  byId('error').scrollIntoView({ block: 'nearest' })
}

function clearMessages() {
  say('error')
  say('notice')
}

/** Stops following the session that the app has. */
let following = new AbortController()

const ENDINGS = {
  revoked: 'You signed this phone out from another device.',
  backchannel: 'You signed out of Oten, so you are signed out here too.',
}

function showEnding(reason) {
  showSignedOut()
  say('notice', 'Your session has ended', ENDINGS[reason] ?? 'Please sign in again.')
}

function showSignedOut() {
  following.abort()
  forgetSession()
  setState('signed-out')
}

function showSession(view) {
  if (!view.authenticated) return showSignedOut()
  const { user } = view
  byId('user-name').textContent = nameOf(user)
  byId('user-email').textContent = user.email ?? ''
  byId('user-sub').textContent = user.sub
  showAvatar(byId('avatar'), user)
  byId('session-mode').textContent = MODES[readMode()] ?? ''
  const ends = new Date(Date.now() + view.expires_in * 1000)
  byId('session-ends').textContent = ends.toLocaleDateString(undefined, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  })
  byId('api').hidden = true
  setState('signed-in')
  following = new AbortController()
  followSession(showEnding, following.signal).catch(() => {}) // Without it, the next call tells.
}

function onClick(id, action) {
  const button = byId(id)
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    clearMessages()
    try {
      await action()
    } catch (error) {
      if (error.code === 'unauthenticated') showSignedOut()
      showFailure(error)
    } finally {
      button.ariaBusy = 'false'
    }
  })
}

function sayGoodbye(logoutUrl) {
  if (logoutUrl === null) return say('notice', 'You are signed out.')
  const link = document.createElement('a')
  link.href = logoutUrl
  link.target = '_blank'
  link.rel = 'noopener'
  link.textContent = 'Sign out of Oten too'
  say('notice', 'You are signed out of the app.', 'The browser still knows you at Oten.', link)
  setTimeout(() => link.remove(), LOGOUT_LINK_MS)
}

/** Where the app begins: at the deep link that opened it, or with the session that it kept. */
async function begin() {
  const { pathname, search } = location
  if (pathname !== '/signed-in') return showSession(await readSession())
  history.replaceState(null, '', '/') // The code must not stay in the history, nor be sent again by a reload.
  showSession(await acceptDeepLink(new URLSearchParams(search)))
}

onClick('sign-in', () => openSignIn(document.querySelector('input[name="mode"]:checked').value))
document.querySelector(`input[value="${readLastMode()}"]`).checked = true
onClick('sign-out', async () => {
  following.abort() // Or it would tell what this page is doing itself.
  const logoutUrl = await signOut()
  showSignedOut()
  byId('sign-in').focus()
  sayGoodbye(logoutUrl)
})
onClick('call-api', async () => {
  byId('api').hidden = true
  const answer = await callApi()
  byId('api-result').textContent = formatJson(answer)
  byId('api').hidden = false
  byId('api').scrollIntoView({ block: 'nearest' })
})

const showTime = () => {
  byId('time').textContent = new Date().toLocaleTimeString(undefined, {
    hour: 'numeric',
    minute: '2-digit',
    hour12: false,
  })
}
showTime()
setInterval(showTime, 10_000)

try {
  await begin()
} catch (error) {
  setState('signed-out')
  showFailure(error)
}
