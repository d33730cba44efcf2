import { parseArgs } from 'node:util'
import { readPorts } from '../../demo/ports.ts'
import { formatCheck } from '../../src/doctor/report.ts'
import { type Examined, examine } from './examine.ts'

// `npm run check:app`: plays an app against a service that runs, and says whether it does all that an app relies on.

const USAGE = `Usage:
  npm run check:app [-- --url URL] [--app ID] [--deep-link LINK] [--api PATH] [--login NAME]
      plays an app against a running service, by default that of \`npm run demo\`; one line per check, ok, warn or FAIL;
      exits with 1 when any failed. The IdP must be the simulator, whose form is filled in with NAME.
      --url        PUBLIC_URL of the service (APP_CHECK_URL)
      --app        the app's id in APPS (APP_CHECK_APP)
      --deep-link  its deep link, as it stands in APPS (APP_CHECK_DEEP_LINK)
      --api        a path of API_ROUTES that answers GET (APP_CHECK_API)`

const OPTIONS = {
  url: { type: 'string' },
  app: { type: 'string' },
  'deep-link': { type: 'string' },
  api: { type: 'string' },
  login: { type: 'string', default: 'ada' },
  help: { type: 'boolean', short: 'h' },
} as const

type Env = Readonly<Record<string, string | undefined>>

/** @returns undefined for a call that is not one of the usage */
function readCall(args: readonly string[], env: Env): Examined | 'help' | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: OPTIONS })
    if (values.help) return 'help'
    const url = values.url ?? env.APP_CHECK_URL
    const app = values.app ?? env.APP_CHECK_APP
    const deepLink = values['deep-link'] ?? env.APP_CHECK_DEEP_LINK
    const apiPath = values.api ?? env.APP_CHECK_API
    const { login } = values
    if (url === undefined) return readDemo(env, { app, deepLink, apiPath, login })
    if (app === undefined || deepLink === undefined || new URL(url).origin !== url) return undefined
    return { service: { url, app, deepLink }, apiPath, login }
  } catch {
    return undefined
  }
}

interface Given {
  readonly app: string | undefined
  readonly deepLink: string | undefined
  readonly apiPath: string | undefined
  readonly login: string
}

/** What `npm run demo` says of its phone, where nothing else is given. */
function readDemo(env: Env, { app, deepLink, apiPath, login }: Given): Examined {
  const ports = readPorts(env)
  const service = {
    url: `http://localhost:${ports.bff}`,
    app: app ?? 'demo',
    deepLink: deepLink ?? `http://127.0.0.1:${ports.phone}/signed-in`,
  }
  return { service, apiPath: apiPath ?? '/api/demo/hello', login }
}

/** @returns the exit code */
async function run(examined: Examined): Promise<number> {
  let failed = false
  for await (const check of examine(examined)) {
    failed ||= check.status === 'FAIL'
    console.log(formatCheck(check))
  }
  return failed ? 1 : 0
}

const call = readCall(process.argv.slice(2), process.env)
if (typeof call === 'object') process.exitCode = await run(call)
else if (call === 'help') console.log(USAGE)
else {
  console.error(USAGE)
  process.exitCode = 2
}
