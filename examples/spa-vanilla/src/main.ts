import './style.css'
import { authError, BffError, configure, fetch, onChange, type Session, signIn, signOut } from 'oten-bff-client'
import { describeAuthError, describeEnd, describeFailure } from './words.ts'

// Only where oten-bff has another origin than this page.
if (import.meta.env.VITE_BFF_URL) configure({ url: import.meta.env.VITE_BFF_URL })

type State = 'loading' | 'signed-in' | 'signed-out' | 'unknown'

const byId = (id: string): HTMLElement => document.getElementById(id) ?? document.body
const main = document.querySelector('main') ?? document.body
const getState = () => main.dataset.state as State
const say = (text = ''): void => byId('notice').replaceChildren(text)

/** Whose page this is; another user must not see what the one before had on it. */
let user: string | undefined

function setState(state: State): void {
  main.dataset.state = state
  for (const part of main.querySelectorAll<HTMLElement>('[data-for]')) part.hidden = part.dataset.for !== state
}

function show(session: Session, text?: string): void {
  const next = session.authenticated ? session.user.sub : undefined
  if (next !== user) byId('api-result').replaceChildren()
  user = next
  if (session.authenticated) byId('user-name').replaceChildren(String(session.user.name ?? session.user.sub))
  if (getState() !== 'loading' || text !== undefined) say(text)
  setState(session.authenticated ? 'signed-in' : 'signed-out')
}

/** Runs what a button does, once at a time, and says what went wrong. */
function onClick(id: string, action: () => Promise<void>): void {
  const button = byId(id)
  button.addEventListener('click', async () => {
    if (button.ariaBusy === 'true') return
    button.ariaBusy = 'true'
    say()
    try {
      await action()
    } catch (error) {
      if (!(error instanceof BffError)) throw error
      say(describeFailure(error))
    } finally {
      button.ariaBusy = 'false'
    }
  })
}

async function callApi(): Promise<void> {
  const response = await fetch('/api/demo/hello')
  byId('api-result').replaceChildren(`${response.status} ${await response.text()}`)
}

onClick('sign-in', () => signIn())
onClick('call-api', callApi)
onClick('sign-out', () => signOut())

const failed = authError()
if (failed !== undefined) say(describeAuthError(failed))

onChange(
  (session, reason) => {
    const isOver = getState() === 'signed-in' && !session.authenticated
    show(session, isOver ? describeEnd(reason) : undefined)
    if (isOver) byId('sign-in').focus() // What had the focus is gone.
  },
  (error) => {
    if (getState() === 'loading') setState('unknown')
    say(describeFailure(error)) // Who was signed in still is.
  },
)
