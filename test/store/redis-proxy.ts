import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Owner } from '../support/redis.ts'

/** What the store has a connection for, as its name says. */
export type Purpose = 'commands' | 'events' | 'changes'

/** Stands between a store and Redis, and can do to one kind of connection what a network does to any. */
export interface RedisProxy {
  readonly url: string
  /** What Redis says on connections of this kind does not arrive any more; they stay open, and new ones are accepted. */
  hold(purpose: Purpose): void
  /** How many pieces of what it said on connections of this kind have been held so far. */
  held(purpose: Purpose): number
  /** It arrives again, what was held first. */
  release(purpose: Purpose): void
  /** Breaks the connections of this kind. */
  cut(purpose: Purpose): void
  /** New connections of this kind reach the server on this port; 0: none. */
  route(purpose: Purpose, port: number): void
  /** From now on messages on connections of this kind are lost, and nothing else is. */
  mute(purpose: Purpose): void
  /** How long what Redis says is under way; for each piece anew. */
  delayMs: (purpose: Purpose) => number
}

interface Kind {
  port: number
  isMute: boolean
  held: number
  flow: Promise<void> | undefined
  release: () => void
  readonly sockets: Set<Socket>
}

const createKind = (port: number): Kind => ({
  port,
  isMute: false,
  held: 0,
  flow: undefined,
  release: () => {},
  sockets: new Set(),
})

export async function startRedisProxy(owner: Owner, port: number): Promise<RedisProxy> {
  const kinds = { commands: createKind(port), events: createKind(port), changes: createKind(port) }
  const pass = async (near: Socket, first: Buffer): Promise<void> => {
    const purpose = purposeOf(first.toString())
    const kind = kinds[purpose]
    const far = connect(kind.port, '127.0.0.1')
    for (const socket of [near, far]) {
      kind.sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
        kind.sockets.delete(socket)
      })
    }
    far.write(first)
    near.on('data', (octets) => far.write(octets))
    for await (const octets of far) {
      if (kind.flow !== undefined) kind.held += 1
      await kind.flow
      const delayMs = proxy.delayMs(purpose)
      if (delayMs > 0) await sleep(delayMs)
      if (!(kind.isMute && /\r\nmessage\r\n/.test(String(octets)))) near.write(octets)
    }
  }
  const server = createServer((near) => {
    near.on('error', () => {})
    near.once('data', (first) => void pass(near, first).catch(() => near.destroy()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')
  const proxy: RedisProxy = {
    url: `redis://127.0.0.1:${address.port}`,
    hold(purpose) {
      const { promise, resolve } = Promise.withResolvers<void>()
      Object.assign(kinds[purpose], { flow: promise, release: resolve })
    },
    held: (purpose) => kinds[purpose].held,
    release(purpose) {
      kinds[purpose].flow = undefined
      kinds[purpose].release()
    },
    cut: (purpose) => {
      for (const socket of kinds[purpose].sockets) socket.destroy()
    },
    route: (purpose, to) => {
      kinds[purpose].port = to
    },
    mute: (purpose) => {
      kinds[purpose].isMute = true
    },
    delayMs: () => 0,
  }
  owner.after(async () => {
    for (const purpose of ['commands', 'events', 'changes'] as const) {
      proxy.release(purpose)
      proxy.cut(purpose)
    }
    server.close()
  })
  return proxy
}

/** The first that a connection says is its name. */
const purposeOf = (greeting: string): Purpose => {
  if (greeting.includes('oten-bff-changes')) return 'changes'
  return greeting.includes('oten-bff-events') ? 'events' : 'commands'
}
