import { setTimeout as sleep } from 'node:timers/promises'
import { openEvents } from '../support/event-source.ts'
import type { Fleet } from '../support/fleet.ts'

/** What a user's page has met: how much was done, and everything that was not as it should be. */
export interface Experience {
  signIns: number
  refreshes: number
  calls: number
  /** Event streams opened; more than users, since a replica that stops closes its own. */
  streams: number
  readonly faults: string[]
}

export interface User {
  /** Resolves when the user has signed out. */
  leave(): Promise<void>
}

/** A person with an open page: signed in, watching events, calling the API, refreshing, now and then signing in anew. */
export function startUser(fleet: Fleet, login: string, experience: Experience): User {
  let isLeaving = false
  const browser = fleet.browser()

  const expect = (what: string, status: number, wanted: number): void => {
    if (status !== wanted) experience.faults.push(`${login}: ${what} answered ${status}`)
  }

  const signIn = async (): Promise<void> => {
    expect('the callback', (await browser.signIn(login)).status, 303)
    experience.signIns += 1
  }

  /** One stream after the other. Only an `ended` of the service is an end; a connection that breaks is opened again. */
  const watch = async (): Promise<void> => {
    const opened: (() => Promise<void>)[] = []
    const owner = { after: (end: () => unknown) => void opened.push(async () => void (await end())) }
    while (!isLeaving) {
      const cookie = await browser.jar.getCookieString(fleet.publicUrl)
      const stream = await openEvents(owner, `${fleet.publicUrl}/auth/events`, {
        cookie,
        'sec-fetch-site': 'same-origin',
      })
      experience.streams += 1
      expect('the event stream', stream.status, 200)
      for (;;) {
        const heard = await stream.next(60_000).catch(() => undefined)
        if (heard === undefined) break
        if (heard.event === 'ended' && !isLeaving) experience.faults.push(`${login}: signed out, ${heard.data.reason}`)
      }
      for (const close of opened.splice(0)) await close()
    }
  }

  const use = async (): Promise<void> => {
    for (let round = 1; !isLeaving; round++) {
      expect('the API', (await browser.fetch('/api/x/1')).status, 200)
      const session = await browser.session()
      if (session.authenticated !== true) experience.faults.push(`${login}: no session any more`)
      experience.calls += 2
      if (round % 5 === 0) {
        expect('refresh', (await browser.fetch('/auth/refresh', { method: 'POST' })).status, 200)
        experience.refreshes += 1
      }
      await sleep(40)
    }
  }

  /** Somebody else's page, so that sign-ins go on all the time without ending the session that is watched. */
  const come = async (): Promise<void> => {
    while (!isLeaving) {
      const other = fleet.browser()
      expect('the callback', (await other.signIn(`${login}-again`)).status, 303)
      expect('sign-out', (await other.fetch('/auth/logout', { method: 'POST' })).status, 200)
      experience.signIns += 1
      await sleep(100)
    }
  }

  const life = signIn().then(async () => {
    const work = Promise.all([use(), come()])
    const watching = watch()
    await work
    expect('sign-out', (await browser.fetch('/auth/logout', { method: 'POST' })).status, 200)
    await watching
  })
  return {
    leave() {
      isLeaving = true
      return life
    },
  }
}
