import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import type { Owner } from '../../support/redis.ts'
import { chromiumDriver } from './chromium-driver.ts'
import type { Driver, Surroundings, Visitor } from './driver.ts'
import { firefoxDriver } from './firefox-driver.ts'
import { HOSTS, type MakePages, startTopology, type Topology } from './topology.ts'

export const DRIVERS: readonly Driver[] = [chromiumDriver, firefoxDriver]

/** Chromium says it by itself when a stream is asked for just as its session goes; the page deals with it. */
const REFUSED_STREAM = /401.*\/auth\/events$/

/** A browser that is there for the tests of a file. */
export interface OpenBrowser {
  readonly name: string
  /** A visitor apart from all others. */
  open(t: TestContext, expected?: readonly RegExp[]): Promise<Visitor>
}

/** The topology, and both browsers; all of it ends with the last test of the file. */
export const setUp = (
  makePages: MakePages,
): Promise<{ readonly topology: Topology; readonly browsers: readonly OpenBrowser[] }> =>
  own(async (owner) => {
    const topology = await startTopology(owner, makePages)
    return { topology, browsers: await Promise.all(DRIVERS.map((driver) => openBrowser(owner, driver, topology))) }
  })

/** The topology alone, for tests that start browsers of their own. */
export const setUpTopology = (makePages: MakePages): Promise<Topology> =>
  own((owner) => startTopology(owner, makePages))

async function own<T>(start: (owner: Owner) => Promise<T>): Promise<T> {
  const { owner, end } = createOwner()
  after(end)
  try {
    return await start(owner)
  } catch (cause) {
    await end() // What is left open would keep a file alive whose tests were never known.
    throw cause
  }
}

/** For clean-up in the opposite order: nothing is taken from under what stands on it. */
export function createOwner(): { readonly owner: Owner; end(): Promise<void> } {
  const works: (() => Promise<void>)[] = []
  return {
    owner: { after: (work) => void works.push(work) },
    async end() {
      for (let work = works.pop(); work !== undefined; work = works.pop()) await work()
    },
  }
}

async function openBrowser(owner: Owner, driver: Driver, topology: Topology): Promise<OpenBrowser> {
  const browser = await driver.launch(createSurroundings(owner, topology))
  owner.after(() => browser.close())
  return {
    name: driver.name,
    async open(t, expected) {
      const visitor = await browser.openVisitor()
      t.after(() => leave(visitor, expected))
      return visitor
    },
  }
}

/** A folder for a browser, and what it has to know of this world. */
export function createSurroundings(owner: Owner, { certificates }: Topology): Surroundings {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-browser-'))
  owner.after(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })) // Browsers still write as they end.
  return { hosts: HOSTS, certificates, folder }
}

/**
 * Closes the visitor's browser.
 *
 * @param expected errors on the console or in a page that belong to the test; any other fails it
 */
export async function leave(visitor: Visitor, expected: readonly RegExp[] = []): Promise<void> {
  await visitor.close()
  const known = [REFUSED_STREAM, ...expected]
  const problems = visitor.problems.filter((text) => !known.some((pattern) => pattern.test(text)))
  assert.deepEqual(problems, [], 'errors on the console or in a page')
}
