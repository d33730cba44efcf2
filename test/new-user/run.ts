import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchChromium } from '../browser/chromium.ts'
import { collect, findFreePorts } from '../browser/demo-process.ts'
import { passIdp, readText } from '../browser/support.ts'

// `npm run test:new-user`: somebody who has Node, npm and git clones the repository, does what the README says under "See it
// run" and nothing else, and signs in. Fails when that takes longer than the README's readers should wait, or does not work.

const ROOT = new URL('../..', import.meta.url).pathname
const LIMIT_S = 300

const startedAt = performance.now()
const elapsedS = (): number => Math.round((performance.now() - startedAt) / 1000)
const tell = (step: string): void => console.log(`${`${elapsedS()} s`.padStart(6)}  ${step}`)

/** The commands of the first block of a section of the README. */
function readCommands(readme: string, section: string): string {
  const [, commands] = new RegExp(`^## ${section}$[^]*?^\`\`\`sh\\n([^]*?)^\`\`\`$`, 'm').exec(readme) ?? []
  if (commands === undefined) throw new Error(`the README has no commands under "${section}"`)
  return commands
}

/** Clicks through the demo as the README says. */
async function signIn(url: string): Promise<string> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(url)
    await page.getByRole('button', { name: 'Log in with Oten' }).click()
    await passIdp(page, 'newcomer')
    return await readText(page, 'user-sub')
  } finally {
    await browser.close()
  }
}

/**
 * In a shell of its own process group, so that all of it ends at the end, whatever the commands started.
 *
 * @returns seconds from the start of the clone until somebody was signed in
 */
async function follow(clone: string): Promise<number> {
  const ports = await findFreePorts()
  const env = { PATH: withoutPackages(), HOME: process.env.HOME, DEMO_PORT: String(ports.spa) }
  const commands = readCommands(readFileSync(join(clone, 'README.md'), 'utf8'), 'See it run')
  const shell = spawn('sh', ['-c', commands], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const ended = once(shell, 'exit')
  const output = collect(shell)
  try {
    await Promise.race([
      output.waitFor('demo ready: '),
      ended.then(() => Promise.reject(new Error(`the commands ended:\n${output.text()}`))),
    ])
    tell('demo ready')
    const [, url = ''] = /^demo ready: (\S+)$/m.exec(output.text()) ?? []
    if ((await signIn(url)) !== 'newcomer') throw new Error('somebody else is signed in')
    tell('signed in')
    return elapsedS()
  } finally {
    if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGINT')
    await ended
  }
}

/** The newcomer has no packages of ours on the path, which npm puts there for this script. */
const withoutPackages = (): string =>
  (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':')

let tookS: number
const folder = mkdtempSync(join(tmpdir(), 'new-user-'))
try {
  const clone = join(folder, 'oten-bff')
  execFileSync('git', ['clone', '--quiet', ROOT, clone])
  tell('cloned')
  tookS = await follow(clone)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const passed = tookS <= LIMIT_S
console.log(`clone to signed in: ${tookS} s, of ${LIMIT_S} s at most`)
console.log(`tests: ${passed ? '1 passed, 0 failed' : '0 passed, 1 failed'}`)
process.exitCode = passed ? 0 : 1
