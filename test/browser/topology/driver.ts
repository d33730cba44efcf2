import type { Certificates } from './authority.ts'

/** A cookie as the browser keeps it. */
export interface HeldCookie {
  readonly name: string
  readonly value: string
  /** Begins with a dot when the cookie goes to subdomains, too. */
  readonly domain: string
  readonly path: string
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: string | undefined
  /** Epoch seconds. */
  readonly expires: number
}

/** Generous, since two test files share the machine; nothing waits longer than it must. */
export const STEP_MS = 60_000

/** Selectors are CSS. A step waits until it can be done. */
export interface Tab {
  goto(url: string): Promise<void>
  /** Runs script in the page. */
  run<A, R>(script: (argument: A) => R | Promise<R>, argument: A): Promise<R>
  /** Runs script in every document from now on, before any of the page's own; nobody clicked for what it does. */
  prepare(script: () => void): Promise<void>
  /** With the mouse. */
  click(selector: string): Promise<void>
  type(selector: string, text: string): Promise<void>
}

/** One person's browser: cookies and storage of its own. */
export interface Visitor {
  openTab(): Promise<Tab>
  cookies(): Promise<HeldCookie[]>
  forget(cookie: HeldCookie): Promise<void>
  /** Errors that pages had or wrote to the console so far. */
  readonly problems: readonly string[]
  close(): Promise<void>
}

export interface RunningBrowser {
  /** A visitor apart from all others. */
  openVisitor(): Promise<Visitor>
  close(): Promise<void>
}

/** What a browser is told about the world that a test made. */
export interface Surroundings {
  /** Names that stand for this machine. */
  readonly hosts: readonly string[]
  readonly certificates: Certificates
  /** Existing, and the browser's own; whoever made it removes it. */
  readonly folder: string
}

/** One of the browsers. */
export interface Driver {
  readonly name: string
  launch(surroundings: Surroundings): Promise<RunningBrowser>
  /** A browser in `surroundings.folder` whose one visitor is the one that the profile there remembers. */
  launchOnProfile(surroundings: Surroundings): Promise<Visitor>
  /** The same in a private window, which has one tab, and cookies that only its pages see. */
  launchPrivate(surroundings: Surroundings): Promise<Visitor>
}
