import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Example, playJourney, playMishaps } from '../journey.ts'
import { command } from './commands.ts'
import { EXAMPLES, ROOT } from './folders.ts'
import { startProgram } from './program.ts'
import { enter, SYSTEM } from './swift-system.ts'

/** Inside of the system: the repository's files as they lie beside one another, and the journey beside the example. */
const WORK = '/repository'
const IOS = `${WORK}/examples/ios`
const JOURNEY = `${WORK}/examples/journey`

const swift = (folder: string, script: string): Promise<string> => {
  const [program, ...args] = enter(`cd ${folder} && ${script} 2>&1`)
  return command(program, args)
}

/** Build folders of earlier runs stay: compilers look at what has changed. */
function copySources(): void {
  const work = join(SYSTEM, WORK)
  const copy = (from: string, to: string): void => {
    for (const name of existsSync(join(work, to)) ? readdirSync(join(work, to)) : []) {
      if (name !== '.build') rmSync(join(work, to, name), { recursive: true })
    }
    mkdirSync(join(work, to), { recursive: true })
    cpSync(from, join(work, to), { recursive: true, filter: (path) => !path.endsWith('/.build') })
  }
  copy(join(EXAMPLES, 'ios'), 'examples/ios')
  copy(fileURLToPath(new URL('./swift', import.meta.url)), 'examples/journey')
  mkdirSync(join(work, 'test/app'), { recursive: true })
  cpSync(join(ROOT, 'test/app/vectors.json'), join(work, 'test/app/vectors.json'))
  const crypto = 'TestCrypto.swift'
  const tests = join(EXAMPLES, 'ios/Tests/SignInProtocolTests')
  cpSync(join(tests, crypto), join(work, 'examples/journey/Sources/Journey', crypto))
}

before(copySources)

test('Swift: the part without Apple frameworks is compiled, and its own tests pass', async () => {
  const report = await swift(IOS, 'swift test')
  const [, ran = '0', failures] = /Executed (\d+) tests, with (\d+) failures/.exec(report) ?? []
  assert.ok(Number(ran) >= 12, report.slice(-2000))
  assert.equal(failures, '0')
})

/** The names of Apple's frameworks are known to no compiler here: what needs them is read, and no more. */
test('Swift: the part with Apple frameworks is free of faults of syntax', async () => {
  const sources = ['Sources/SignIn', 'App'].flatMap((folder) =>
    readdirSync(join(EXAMPLES, 'ios', folder))
      .filter((name) => name.endsWith('.swift'))
      .map((name) => `${folder}/${name}`),
  )
  assert.ok(sources.length >= 6)
  for (const source of sources) {
    // Without its condition, or the parser would pass over all that stands under it.
    await swift(
      IOS,
      `grep -v '^#' ${source} > /tmp/parsed.swift && swiftc -frontend -parse -swift-version 6 /tmp/parsed.swift`,
    )
  }
  await assert.rejects(
    swift(IOS, 'echo "func {" > /tmp/parsed.swift && swiftc -frontend -parse -swift-version 6 /tmp/parsed.swift'),
  )
})

/**
 * Shortcomings of the Foundation of Linux, not of Apple's: it sees a `Set-Cookie` only in this spelling, forgets cookies when
 * the process ends, and stops the process at `WWW-Authenticate: Bearer`.
 */
const SWIFT_EXAMPLE: Example = {
  survivesSignIn: false,
  keepsCookies: false,
  async change(asked, pass) {
    const told = await pass(asked)
    const { 'www-authenticate': _challenge, 'set-cookie': cookies, ...headers } = told.headers
    return { ...told, headers: { ...headers, ...(cookies !== undefined && { 'Set-Cookie': cookies }) } }
  },
  async start({ url, app, deepLink, vault }) {
    const home = `/tmp/${vault.split('/').at(-2)}`
    const [program, ...args] = enter(
      `mkdir -p ${home} && HOME=${home} exec ${JOURNEY}/.build/debug/Journey '${url}' '${app}' '${deepLink}' ${home}/vault`,
    )
    return startProgram(program, args)
  },
}

test('Swift: the journey is built', async () => {
  assert.match(await swift(JOURNEY, 'swift build'), /Build complete/)
})

for (const kind of ['cookie', 'token'] as const) {
  const ends = kind === 'token' ? ', and the process is ended in between' : ''
  test(`Swift: from the start to the sign-out, with a ${kind}${ends}`, (t) => playJourney(t, SWIFT_EXAMPLE, kind))

  test(`Swift: what goes wrong signs nobody in and nobody out, with a ${kind}`, (t) =>
    playMishaps(t, SWIFT_EXAMPLE, kind))
}
