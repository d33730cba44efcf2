import { type Connection, type Expected, openConnection } from './connection.ts'
import type { NextRequest } from './requests.ts'

export interface ClosedLoad {
  readonly port: number
  readonly next: NextRequest
  readonly expected: Expected
  readonly connections: number
  readonly durationMs: number
}

export interface ClosedResult {
  /** The last ones included, for which nobody asked again. */
  readonly answered: number
  /** Answers that were not as expected. */
  readonly failed: number
  readonly perSecond: number
}

/** Closed-loop load: each connection asks again as soon as it is answered. For how much a server can do. */
export async function runClosed({ port, next, expected, connections, durationMs }: ClosedLoad): Promise<ClosedResult> {
  let answered = 0
  let failed = 0
  let isRunning = true
  const count = (isGood: boolean): void => {
    answered += 1
    if (!isGood) failed += 1
  }
  const keepAsking = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (connection: Connection): void => {
        try {
          if (isRunning) {
            connection.send(next())
            return
          }
        } catch (error) {
          reject(error)
        }
        connection.close()
        resolve()
      }
      let opened: Connection | undefined
      const onAnswer = (isGood: boolean): void => {
        count(isGood)
        if (opened !== undefined) go(opened)
      }
      openConnection(port, expected, onAnswer, reject).then((connection) => {
        opened = connection
        go(connection)
      }, reject)
    })

  const began = performance.now()
  const all = Promise.all(Array.from({ length: connections }, keepAsking))
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, durationMs))])
  const perSecond = (answered / (performance.now() - began)) * 1000
  isRunning = false
  await all
  return { answered, failed, perSecond }
}
