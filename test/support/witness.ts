import assert from 'node:assert/strict'
import { sendPlain } from '../flows/steps.ts'
import type { Answer, Browser, RequestOptions } from './browser.ts'
import type { Canaries, Kind } from './canaries.ts'
import type { World } from './world.ts'

/** Where each kind belongs. Everywhere else it is a leak; so is every other kind there. */
const BELONGS: readonly (readonly [place: RegExp, kinds: readonly Kind[]])[] = [
  [/^GET \/auth\/start (200 body|303 location)$/, ['request-object', 'state', 'nonce', 'jti', 'login-hint']],
  [/^GET \/auth\/start \d+ set-cookie$/, ['transaction-cookie']],
  [/^GET \/auth\/callback 303 set-cookie$/, ['session-cookie']],
  [/^GET \/auth\/callback 303 location$/, ['page-data', 'handoff-code', 'app-state']],
  [/^GET \/auth\/callback 303 body$/, ['handoff-code', 'app-state']], // The page with the button for the deep link.
  [/^POST \/auth\/handoff 200 set-cookie$/, ['session-cookie']],
  [/^POST \/auth\/handoff 200 body$/, ['session-token']],
  [/^POST \/auth\/logout (200 body|303 location)$/, ['ticket']],
  [/^GET \/auth\/logout\/continue (303 location|200 body)$/, ['id-token', 'nonce', 'logout-state']],
  [/^GET \/auth\/logged-out 303 location$/, ['page-data']],
  [/^inner: GET \/auth\/verify 204 authorization$/, ['access-token']],
  [/^the API: authorization$/, ['access-token']],
  [/^the API: target$/, ['page-data']],
]

/**
 * What the service shows of itself at the inner listener: all of it is looked through, so a new page of it belongs in this
 * list. What it says elsewhere (its output, its title, what exporters send) is seen by `watchProcess`.
 */
const INNER_PATHS = ['/health/live', '/health/ready', '/metrics'] as const

/** What a witness needs of a world. */
type Shown = Pick<World, 'publicUrl' | 'adminUrl' | 'logs' | 'browser'>

/** Sees all that leaves the service, and tells what of it should not have. */
export interface Witness {
  /** Keeps a text under the name of the place where it stood. */
  see(place: string, text: string): void
  seeAnswer(method: string, url: string, answer: Answer): Answer
  /** A browser of the world, all of whose answers from the service are seen. */
  browser(): Browser
  /** A request of a program that is no browser. */
  send(path: string, options?: RequestOptions): Promise<Answer>
  /** The same to the inner listener. */
  ask(path: string, options?: RequestOptions): Promise<Answer>
  /** Looks at what the inner listener shows now. */
  look(): Promise<void>
  /** Places seen, for tests that want to know that they saw something. */
  places(): ReadonlySet<string>
  /** @throws {AssertionError} naming every place, kind and form of a leak, and no value */
  assertClean(): void
}

export function createWitness(world: Shown, canaries: Canaries): Witness {
  const seen: { readonly place: string; readonly text: string }[] = []

  const see = (place: string, text: string): void => {
    if (text !== '') seen.push({ place, text })
  }
  const seeAnswer = (method: string, url: string, answer: Answer): Answer => {
    const { origin, pathname } = new URL(url, world.publicUrl)
    if (origin !== world.publicUrl && origin !== world.adminUrl) return answer // The IdP's own.
    const listener = origin === world.adminUrl ? 'inner: ' : ''
    const place = `${listener}${method} ${pathname} ${answer.status}`
    for (const [name, value] of answer.headers) see(`${place} ${name}`, value)
    see(`${place} body`, answer.text)
    return answer
  }
  const ask = async (path: string, options: RequestOptions = {}): Promise<Answer> => {
    const url = new URL(path, world.adminUrl).href
    return seeAnswer(options.method ?? 'GET', url, await sendPlain({ publicUrl: world.adminUrl }, path, options))
  }

  return {
    see,
    seeAnswer,
    ask,

    browser() {
      const browser = world.browser()
      for (const name of ['request', 'navigate', 'fetch'] as const) {
        const original = browser[name]
        browser[name] = async (url, options) => seeAnswer(options?.method ?? 'GET', url, await original(url, options))
      }
      return browser
    },

    send: async (path, options = {}) => seeAnswer(options.method ?? 'GET', path, await sendPlain(world, path, options)),

    async look() {
      for (const path of INNER_PATHS) await ask(path)
    },

    places: () => new Set(seen.map(({ place }) => place)),

    assertClean() {
      const leaks = [...seen, { place: 'the log', text: world.logs.join('') }].flatMap(({ place, text }) =>
        canaries.find(text, findAllowed(place)).map(({ kind, form }) => `${place}: ${kind}, ${form}`),
      )
      assert.deepEqual([...new Set(leaks)], [])
    },
  }
}

const findAllowed = (place: string): readonly Kind[] =>
  BELONGS.flatMap(([pattern, kinds]) => (pattern.test(place) ? kinds : []))
