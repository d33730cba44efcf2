import { get } from 'node:http'

/** How long the answer may take. The image's HEALTHCHECK allows more: it counts the start of this process too. */
const ANSWER_MS = 3000

/** As `config/environment.ts` has them; to load that would take longer than to ask. */
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_PORT = '8081'

/** A listener at every address is asked at the loopback one. */
const LOOPBACK_OF: ReadonlyMap<string, string> = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

type Env = Readonly<Record<string, string | undefined>>

/** Where the service that runs with this environment says that it is alive. An empty value counts as unset. */
export function buildHealthUrl(env: Env): string {
  const given = env.ADMIN_HOST || DEFAULT_HOST
  const host = LOOPBACK_OF.get(given) ?? given
  return `http://${host.includes(':') ? `[${host}]` : host}:${env.ADMIN_PORT || DEFAULT_PORT}/health/live`
}

/** @returns why the service is not alive; undefined when it is */
function findProblem(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    // An agent of its own: the global one would ask a proxy, where the environment names one.
    const options = { agent: false, signal: AbortSignal.timeout(ANSWER_MS) } as const
    const request = get(url, options, ({ statusCode }) => {
      resolve(statusCode === 200 ? undefined : `status ${statusCode}`)
      request.destroy() // Whatever else it would send.
    })
    request.on('error', (error) =>
      resolve(error.name === 'AbortError' ? `no answer in ${ANSWER_MS / 1000} s` : error.message),
    )
  })
}

if (import.meta.main) {
  const url = buildHealthUrl(process.env)
  const problem = URL.canParse(url) ? await findProblem(url) : 'no such address'
  if (problem !== undefined) {
    console.error(`${url}: ${problem}`)
    process.exitCode = 1
  }
}
