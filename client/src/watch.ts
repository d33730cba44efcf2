import type { BffError } from './errors.ts'
import { createFollower } from './follow.ts'
import { getId, getKnown, type Hearer, learn, setHearer } from './known.ts'
import { watchPage } from './page-life.ts'
import { getSession, waitForAnswer } from './session.ts'
import { type News, openTabs, type Tabs } from './tabs.ts'
import type { EndReason, Session, SignedIn } from './types.ts'

/** Longer than the 20 s after which a stream gives a sign: without a stream that works, this is how often is asked. */
const QUIET_MS = 30_000

/** After a question that the service could not answer. */
const AGAIN_MS = 5000

export interface WatchHearer {
  /** @param isNews this was not told before, or not since the last failure */
  onSession(session: Session, isNews: boolean, reason: EndReason | undefined): void
  onFailure(error: BffError): void
}

/**
 * Sees to it that this tab knows who is signed in: asks at the start, follows the stream or the tab that does, asks
 * again when the page comes back or nothing was heard for long. Never slides the idle limit.
 *
 * @returns how to stop
 */
export function watch({ onSession, onFailure }: WatchHearer): () => void {
  let tabs: Tabs | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let reasonSaid: EndReason | undefined
  let isFailing = false

  const rest = (ms = QUIET_MS): void => {
    clearTimeout(timer)
    timer = setTimeout(look, ms)
  }
  const look = (): void => {
    const isSettled = getKnown()?.authenticated === false && !isFailing // Another tab tells when that changes.
    if (!document.hidden && !isSettled) void ask()
  }
  /** What was heard from elsewhere does not answer a question of ours that failed. */
  const hearSign = (): void => {
    if (!isFailing) rest()
  }

  const ask = async (reason?: EndReason): Promise<void> => {
    if (tabs === undefined) return
    reasonSaid = reason ?? reasonSaid
    try {
      await getSession()
    } catch (error) {
      if (tabs === undefined) return
      // That this session is over, the service has said by itself; only whether there is another one is not known.
      if (reasonSaid !== undefined && getKnown()?.authenticated) learn({ authenticated: false })
      const failure = error as BffError // It throws nothing else.
      isFailing = true
      onFailure(failure)
      rest(Math.max(AGAIN_MS, (failure.retryAfterS ?? 0) * 1000))
    }
  }

  const check = async ({ id, reason }: News): Promise<void> => {
    reasonSaid = reason ?? reasonSaid
    await waitForAnswer() // It may be older than the news.
    const known = getKnown()
    if (known === undefined || getId(known) !== id) await ask(reason)
    else hearSign()
  }

  const hearEnd = (reason: EndReason): void => {
    // A sign-in in another tab ends the session before it, and its cookie is still on the way. The stream is opened again
    // in a moment, and tells of the new session, or that there is none.
    if (reason === 'logout') reasonSaid = reason
    else void check({ id: null, reason })
  }

  const followSession = createFollower((id) => ({
    onSign: () => {
      hearSign()
      tabs?.tell({ id })
    },
    onEvent: (name, data) => {
      if (name === 'ended') hearEnd((data as { reason: EndReason }).reason)
      else learn(data as SignedIn)
    },
    onRefused: () => void ask(),
  }))

  const hear: Hearer = (session, isChange, reason = reasonSaid) => {
    reasonSaid = undefined
    if (tabs === undefined) return
    const isNews = isChange || isFailing
    isFailing = false
    rest()
    followSession(getId(session))
    if (isChange) tabs.tell({ id: getId(session), reason })
    onSession(session, isNews, session.authenticated ? undefined : reason)
  }

  const begin = (): void => {
    tabs = openTabs((news) => void check(news))
    void ask()
  }
  const end = (): void => {
    followSession(null)
    tabs?.close()
    tabs = undefined
    clearTimeout(timer)
  }

  const leavePage = watchPage({ onLeave: end, onBack: begin, onLook: () => void ask() })
  setHearer(hear)
  begin()
  return () => {
    leavePage()
    setHearer(undefined)
    end()
  }
}
