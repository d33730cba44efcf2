import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** The services of the demo in the order of their ports, with the name under which each is shown. */
export const SERVICES = [
  ['spa', 'SPA'],
  ['bff', 'BFF'],
  ['admin', 'BFF admin'],
  ['simulator', 'simulator'],
  ['api', 'API'],
  ['phone', 'phone'],
] as const

export type ServiceName = (typeof SERVICES)[number][0]
export type Ports = Readonly<Record<ServiceName, number>>

const DEFAULT_PORT = 3000

/** What someone else may listen at so that a browser would reach them instead of us. */
const ADDRESSES = ['127.0.0.1', '::1', '0.0.0.0', '::'] as const

/** @throws {Error} when `DEMO_PORT` does not leave room for all services */
export function readPorts(env: Readonly<Record<string, string | undefined>>): Ports {
  const text = env.DEMO_PORT || String(DEFAULT_PORT)
  const first = /^\d{1,5}$/.test(text) ? Number(text) : 0
  const firstMax = 65_536 - SERVICES.length
  if (first < 1 || first > firstMax) throw new Error(`DEMO_PORT must be a port number from 1 to ${firstMax}`)
  return Object.fromEntries(SERVICES.map(([name], index) => [name, first + index])) as Ports // One for each name.
}

/** @throws {Error} naming each port that cannot be had, the service that wants it, and the way out */
export async function requireFreePorts(ports: Ports): Promise<void> {
  const problems: string[] = []
  for (const [name, label] of SERVICES) {
    const problem = await findProblem(ports[name])
    if (problem !== undefined) problems.push(`port ${ports[name]} (wanted by the ${label}) ${problem}`)
  }
  if (problems.length === 0) return
  const other = ports.spa < 60_000 ? ports.spa + 1000 : DEFAULT_PORT
  throw new Error(
    `${problems.join(', ')}; choose other ports with DEMO_PORT, for example DEMO_PORT=${other} for ${other} to ${other + SERVICES.length - 1}`,
  )
}

/** Tried one after the other: on some systems `0.0.0.0` can be had while someone listens at `127.0.0.1`, or the reverse. */
async function findProblem(port: number): Promise<string | undefined> {
  for (const address of ADDRESSES) {
    const code = await tryToListen(port, address)
    if (code === 'EADDRINUSE') return 'is taken'
    if (code === 'EACCES') return 'may not be used by this user'
  }
  return undefined // Other codes: this machine does not have that address, so nobody can be there.
}

async function tryToListen(port: number, host: string): Promise<string | undefined> {
  const server = createServer()
  try {
    await listen(server, port, host)
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
  server.close()
  await once(server, 'close')
  return undefined
}

/** @throws {Error} with `code` `EADDRINUSE` when the port is taken */
export async function listen(server: Server, port: number, host = '127.0.0.1'): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening') // Rejects with the error of `listen`.
}
