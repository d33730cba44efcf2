import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BffError } from '../errors.ts'
import { createEmbeddedStore } from '../store/embedded-store.ts'
import { openStore } from '../store/index.ts'
import type { Store } from '../store/store.ts'
import { about, type Check } from './check.ts'
import { checkRedisPolicy } from './redis-policy.ts'

/** For the whole way there and back. */
const TIMEOUT_MS = 8_000

const PROBE_TTL_S = 10

const MEMORY = 'memory: sessions end with the process'
const MEMORY_REMEDY = 'fine to try it out; for users take file: or Redis, since a restart signs all of them out'

const { ok, warn, fail } = about('session store')

/**
 * Opens the store as the service does, writes, reads and removes a probe, and closes it.
 *
 * @param url `SESSION_STORE`; may hold a password, so it is not shown
 * @param options.secure whether PUBLIC_URL is https: somebody means to have users
 */
export async function checkStore(
  url: string,
  { now, secure }: { readonly now: () => number; readonly secure: boolean },
): Promise<readonly Check[]> {
  if (url === 'memory:') return [secure ? warn(MEMORY, MEMORY_REMEDY) : ok(MEMORY)]
  const path = url.startsWith('file:') ? findPath(url.slice('file:'.length)) : undefined
  return path === undefined ? checkOpened(url, now) : [await checkFile(path, now)]
}

/** As the service reads it; undefined for what the service refuses, which it then says itself. */
function findPath(rest: string): string | undefined {
  const path = rest.startsWith('///') ? rest.slice(2) : rest
  return path === '' || path.endsWith('/') || path.startsWith('//') ? undefined : resolve(path)
}

async function checkOpened(url: string, now: () => number): Promise<readonly Check[]> {
  try {
    const store = await openStore(url, { now })
    await tryOut(store)
    return [ok('Redis reads, writes and passes on messages'), await checkRedisPolicy(url)]
  } catch (error) {
    const words = describe(error)
    return [fail(words, findRedisRemedy(words))]
  }
}

/**
 * A file that is there is opened; where there is none, none is left behind: it would belong to whoever runs the doctor,
 * and the service could then not open it.
 */
async function checkFile(path: string, now: () => number): Promise<Check> {
  try {
    if (existsSync(path)) {
      await tryOut(await createEmbeddedStore({ path, now, waitMs: 0 }))
      return ok(`${path} opens, and can be read and written`)
    }
    const folder = findFolder(dirname(path))
    const scratch = mkdtempSync(join(folder, '.oten-doctor-'))
    try {
      await tryOut(await createEmbeddedStore({ path: join(scratch, 'probe.db'), now, waitMs: 0 }))
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
    return ok(`${path} is not there yet, and can be made in ${folder}`)
  } catch (error) {
    const words = describe(error)
    // Held exclusively by whoever uses it, which is how it should be while the service runs.
    if (words.includes('in use by another process'))
      return ok(`${path} is in use by another process: the service, if it runs`)
    return fail(
      `${path}: ${words}`,
      'let the user that runs the service own the folder of the file, on a disk with space; or name another path',
    )
  }
}

/** The nearest folder that exists. */
const findFolder = (folder: string): string => (existsSync(folder) ? folder : findFolder(dirname(folder)))

/** A value and a message there and back, then closes the store. */
async function tryOut(store: Store): Promise<void> {
  const timeout = Promise.withResolvers<never>()
  const timer = setTimeout(() => timeout.reject(new Error('it did not answer in time')), TIMEOUT_MS)
  try {
    await Promise.race([roundTrip(store), timeout.promise])
  } finally {
    clearTimeout(timer)
    await store.close()
  }
}

async function roundTrip(store: Store): Promise<void> {
  const key = `doctor:${randomBytes(16).toString('base64url')}`
  const heard = Promise.withResolvers<void>()
  await store.set(key, key, PROBE_TTL_S)
  if ((await store.take(key)) !== key || (await store.get(key)) !== undefined) {
    throw new Error('a value that was written was not read back')
  }
  const leave = await store.subscribe(key, () => heard.resolve())
  await store.publish(key, '') // A script, in Redis: some users may run none.
  await heard.promise
  leave()
}

/** The store's own words, which never hold a password. */
function describe(error: unknown): string {
  if (error instanceof BffError && error.cause instanceof Error) return error.cause.message
  return error instanceof Error ? error.message : 'failed'
}

function findRedisRemedy(words: string): string {
  if (/WRONGPASS|NOAUTH|invalid password|username-password/i.test(words)) {
    return 'correct user and password in SESSION_STORE (redis://USER:PASSWORD@HOST), with @ : / ? # in them percent-encoded'
  }
  if (/NOPERM/i.test(words)) {
    return 'let the Redis user run the commands, scripts and channels of the service, on its keys (ACL)'
  }
  if (/certificate|altname|SSL|TLS/i.test(words)) {
    return 'give Redis a certificate for its host name, and name a private CA in NODE_EXTRA_CA_CERTS'
  }
  if (/READONLY|MISCONF|OOM|LOADING|CLUSTERDOWN/.test(words)) return 'see to the Redis server: it refuses to write'
  if (/unknown command/i.test(words)) return 'use Redis 6.2 or later'
  if (words.startsWith('SESSION_STORE')) return 'correct SESSION_STORE'
  return 'check host and port in SESSION_STORE, that Redis runs, and the firewall; for a server with TLS write rediss://'
}
