import { resolve } from 'node:path'
import type { Log } from '../log.ts'
import { createEmbeddedStore } from './embedded-store.ts'
import { createMemoryStore } from './memory-store.ts'
import type { Store } from './store.ts'

/**
 * Opens the store that `SESSION_STORE` names: `memory:`, or `file:PATH` with the path as it is (nothing is decoded),
 * from the working directory when relative; `file:///PATH` is absolute; or Redis, as `parseRedisUrl` has it, which may
 * be away when the store is opened.
 *
 * @param url may hold a password, so no message shows it
 * @param options.now epoch seconds, fractions allowed
 * @param options.log told what works without, only slower
 * @throws {Error} when the URL names no store, or the store cannot be opened
 */
export async function openStore(
  url: string,
  options: { readonly now: () => number; readonly log?: Pick<Log, 'warn'> },
): Promise<Store> {
  const { now, log } = options
  const [, scheme, rest = ''] = /^([a-z]+):(.*)$/s.exec(url) ?? []
  switch (scheme) {
    case 'memory':
      if (rest !== '') throw new Error('SESSION_STORE: nothing may follow memory:')
      return createMemoryStore({ now })
    case 'file':
      return createEmbeddedStore({ path: parsePath(rest), now })
    case 'redis':
    case 'rediss':
      return (await import('./redis-store.ts')).createRedisStore(url, log)
    default:
      throw new Error('SESSION_STORE must be memory:, file:PATH, redis://… or rediss://…')
  }
}

function parsePath(rest: string): string {
  const path = rest.startsWith('///') ? rest.slice(2) : rest
  if (path.startsWith('//')) throw new Error('SESSION_STORE: file: takes a path on this machine, without a host')
  if (path === '' || path.endsWith('/')) throw new Error('SESSION_STORE: file: needs the path of a file')
  return resolve(path)
}
