import type { DatabaseSync } from 'node:sqlite'
import { attempt } from './attempt.ts'

/** How the verbs of the store in a file reach it. */
export interface Batch {
  /**
   * Does its work at once, in the caller's turn of the event loop, and resolves when that is committed.
   *
   * @throws {BffError} store_unavailable when it was not done, or not committed
   */
  write<T>(work: () => T): Promise<T>
  /** The same for work that changes nothing. What it saw may not be committed yet, so it waits for that, too. */
  read<T>(work: () => T): Promise<T>
  /** Commits what has been written so far, at once. Those who wait hear whether it went well. */
  commit(): void
}

interface Transaction {
  readonly committed: Promise<void>
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

/**
 * One transaction for all that is written in a turn of the event loop: under load a commit costs more than the writes in
 * it. Nobody is told of a success before it is committed, so that whoever was told finds it after the death of the process.
 */
export function createBatch(db: DatabaseSync): Batch {
  const [begin, end] = [db.prepare('BEGIN'), db.prepare('COMMIT')]
  let open: Transaction | undefined

  const start = (): Transaction => {
    begin.run()
    const { promise: committed, resolve, reject } = Promise.withResolvers<void>()
    committed.catch(() => {}) // Told to those who wait.
    open = { committed, resolve, reject }
    setImmediate(commit)
    return open
  }

  const fail = (cause: unknown): void => {
    const failed = open
    open = undefined
    failed?.reject(cause)
    if (db.isTransaction) db.exec('ROLLBACK') // The log is cut back in memory: it cannot fail for want of a disk.
  }

  const commit = (): void => {
    if (open === undefined) return
    try {
      end.run()
      open.resolve()
      open = undefined
    } catch (cause) {
      fail(cause)
    }
  }

  const write = <T>(work: () => T): T | Promise<T> => {
    const { committed } = open ?? start()
    try {
      const result = work()
      return committed.then(() => result)
    } catch (cause) {
      // SQLite undoes the one statement, or everything, as where the disk is full: then nobody's write is there.
      if (!db.isTransaction) fail(cause)
      throw cause
    }
  }

  return {
    write: (work) => attempt(() => write(work)),
    read: (work) =>
      attempt(() => {
        const result = work()
        return open === undefined ? result : open.committed.then(() => result)
      }),
    commit,
  }
}
