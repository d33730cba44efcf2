import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { requirePrograms } from '../../support/programs.ts'
import { installSwift } from './swift-system.ts'

// `npm run test:mobile`: compiles the examples for phones as far as that goes without a phone, runs their own tests, and
// plays each against the real service. One of `kotlin`, `swift`, `expo` after `--` is done alone.

const PROGRAMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  expo: {},
  kotlin: { mvn: 'maven', java: 'default-jdk-headless', aapt: 'aapt' },
  swift: { debootstrap: 'debootstrap', unshare: 'util-linux' },
}

const wanted = process.argv.slice(2)
const names = wanted.length > 0 ? wanted : Object.keys(PROGRAMS)
for (const name of names) {
  const programs = PROGRAMS[name]
  if (programs === undefined) {
    console.error(`npm run test:mobile knows ${Object.keys(PROGRAMS).join(', ')}; not ${name}`)
    process.exit(2)
  }
  requirePrograms('npm run test:mobile', programs)
}
if (names.includes('swift')) installSwift()

const here = fileURLToPath(new URL('.', import.meta.url))
const files = globSync('*.native.ts', { cwd: here }).filter((file) => names.includes(file.split('.')[0] ?? ''))
const options = ['--test', '--test-concurrency=1', '--test-timeout=900000']
spawn(process.execPath, [...options, ...files.sort().map((file) => here + file)], { stdio: 'inherit' }).on(
  'exit',
  (code) => process.exit(code ?? 1),
)
