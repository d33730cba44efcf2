import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { requirePrograms } from '../support/programs.ts'
import { BIN, FOLDER, REQUIREMENTS } from './installation.ts'

// `npm run test:api`: asks the running service everything that `openapi.yaml` allows and forbids. Schemathesis is
// Python's: it lives in a folder of this checkout, exact versions throughout.
requirePrograms('npm run test:api', { python3: 'python3', pip3: 'python3-pip' })

function install(): void {
  if (existsSync(BIN)) return
  console.log('installing schemathesis …')
  const args = ['install', '--quiet', '--no-deps', '--target', FOLDER, '-r', REQUIREMENTS]
  const { status } = spawnSync('pip3', ['--disable-pip-version-check', ...args], { stdio: 'inherit' })
  if (status === 0) return
  console.error(`npm run test:api: pip3 ${args.join(' ')} ended with ${status}`)
  process.exit(1)
}

install()
const test = new URL('./api.fuzz.ts', import.meta.url).pathname
spawn(process.execPath, ['--test', '--test-timeout=1200000', test], { stdio: 'inherit' }).on('exit', (code) =>
  process.exit(code ?? 1),
)
