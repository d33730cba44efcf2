import { spawn } from 'node:child_process'
import { requirePrograms } from '../support/programs.ts'

// `npm run test:upgrade`: an earlier version and this one side by side. It needs the history of the repository, which a
// copy of the files alone does not have: so it is apart from `npm test`.
requirePrograms('npm run test:upgrade', { git: 'git', 'redis-server': 'redis-server' })
const test = new URL('./rolling.upgrade.ts', import.meta.url).pathname
spawn(process.execPath, ['--test', '--test-timeout=300000', test], { stdio: 'inherit' }).on('exit', (code) =>
  process.exit(code ?? 1),
)
