import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { judgeMutants, type Report, type Survivor } from './verdict.ts'

// `npm run mutation`: breaks the protocol code in some three thousand ways, one at a time, and asks the tests. Stryker has
// a package of its own here, so that neither the product nor its other tests carry it.
const folder = new URL('.', import.meta.url).pathname
const root = new URL('../..', import.meta.url).pathname
const output = `${root}test-output/`

const ROOMS = ['login', 'session', 'idp'] as const

/** Tests beside the one of the same name that hold a file; a file without one of its own needs some here. */
const MORE_TESTS: Readonly<Record<string, readonly string[]>> = {
  'login/sign-in': ['flows/browser-sign-in', 'flows/app-sign-in'],
  'session/count-sessions': ['admin/metrics'],
  'session/credential': ['session/sessions', 'plugins/session', 'login/transaction'],
  'session/endings': ['session/sessions', 'session/events', 'routes/auth-events'],
  'session/events': ['threats/store-writer', 'routes/event-stream'],
  'session/open-session-cache': ['replicas/remembered-sessions', 'session/session-cache'],
  'session/record': ['session/sessions', 'session/inventory'],
  'session/refresh': ['session/refresh-answers'],
  'session/refresh-flight': ['session/refresh', 'session/refresh-answers'],
  'session/refresh-lease': ['session/refresh'],
  'session/seal': ['session/store-dump'],
  'session/stored-session': ['session/store-dump'],
  'session/session-keys': ['session/store-dump', 'session/sessions'],
  'session/sessions': [
    'session/sessions-update',
    'session/session-update-race',
    'session/session-cache',
    'session/store-dump',
    'session/inventory',
  ],
  'session/use-session': ['routes/api-proxy', 'admin/verify'],
  'session/view': ['routes/auth-session', 'login/sign-in'],
  'session/watch-end': ['routes/api-proxy-end'],
  'session/watch-lasting': ['routes/api-proxy-end'],
  'idp/discovery': ['idp/discovery-details'],
  'idp/http': ['idp/http-certificate', 'idp/http-end'],
  'idp/token-endpoint': ['idp/tokens', 'idp/refresh-tokens'],
  'idp/traced-fetch': ['tracing', 'idp/idp'],
  'idp/tokens': ['conformance/oidcc-basic', 'idp/token-endpoint'],
}

/** @returns the test files that hold a file of `src`, by its path without ending */
const findTests = (name: string): string[] =>
  [name, ...(MORE_TESTS[name] ?? [])].map((test) => `test/${test}.test.ts`).filter((path) => existsSync(root + path))

const STRYKER = {
  testRunner: 'tap',
  plugins: ['@stryker-mutator/tap-runner'],
  coverageAnalysis: 'perTest',
  ignorePatterns: ['/bench', '/docs/images', '/helm', '/test-output', '/test/mutation', '/test/chart'],
  concurrency: 2,
  timeoutMS: 4000,
  reporters: ['json'],
  logLevel: 'warn',
  // The sources run as they are, and TypeScript 7 has no API that could rewrite a tsconfig.
  disableTypeChecks: false,
  tsconfigFile: 'none.json',
}

function run(program: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(program, args, { cwd, stdio: 'inherit' })
  if (status === 0) return
  console.error(`${program} ${args.join(' ')} ended with ${status}`)
  process.exit(1)
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8')) as unknown

/** One file of the sources, with the tests that are its own: every mutant costs a run of those that reach it. */
function mutateFile(name: string): Report {
  const id = name.replace('/', '-')
  const report = `${output}mutation-of-${id}.json`
  const config = `${output}stryker-of-${id}.json`
  const nodeArgs = ['--test-reporter=tap', '-r', '{{hookFile}}', '{{testFile}}']
  const testFiles = findTests(name)
  const source = readFileSync(`${root}src/${name}.ts`, 'utf8')
  if (testFiles.length === 0 && !/\b(?:const|function)\b/.test(source)) return { files: {} } // Types alone.
  const tap = { testFiles, nodeArgs, forceBail: true }
  rmSync(report, { force: true })
  writeFileSync(
    config,
    JSON.stringify({
      ...STRYKER,
      mutate: [`src/${name}.ts`],
      tempDirName: `test-output/stryker-of-${id}`,
      tap,
      jsonReporter: { fileName: report },
    }),
  )
  run(process.execPath, [`${folder}node_modules/.bin/stryker`, 'run', config], root)
  return readJson(report) as Report
}

/**
 * @param pattern a room, or a file of one: `idp`, `idp/jwks`
 * @returns whether it is held: enough mutants killed, and a reason for each that lives
 */
function mutate(pattern: string): boolean {
  const [room = '', file = '*'] = pattern.split('/')
  const names = globSync(`src/${room}/${file}.ts`, { cwd: root }).map((path) =>
    path.slice('src/'.length, -'.ts'.length),
  )
  const files = Object.assign({}, ...names.sort().map((name) => mutateFile(name).files)) as Report['files']
  return tell(judgeMutants({ files }, readJson(`${folder}survivors-${room}.json`) as Survivor[]))
}

function tell({
  room,
  killed,
  total,
  percent,
  isEnough,
  unexplained,
  outdated,
}: ReturnType<typeof judgeMutants>): boolean {
  console.log(`${isEnough ? 'ok  ' : 'FAIL'} src/${room}: ${killed} of ${total} mutants killed, ${percent} %`)
  for (const { file, line, code, replacement } of unexplained) {
    console.log(
      `FAIL survives without a reason in survivors-${room}.json: ${file}:${line}\n       ${code}\n    →  ${replacement}`,
    )
  }
  for (const { file, code } of outdated)
    console.log(`warn survivors-${room}.json: nothing survives any more in ${file}: ${code}`)
  return isEnough && unexplained.length === 0
}

if (!existsSync(`${folder}node_modules/.bin/stryker`)) run('npm', ['ci'], folder)
mkdirSync(output, { recursive: true })
const wanted = process.argv.slice(2)
const held = (wanted.length > 0 ? wanted : ROOMS).map(mutate)
process.exit(held.every(Boolean) ? 0 : 1)
