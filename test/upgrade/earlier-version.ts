import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../support/redis.ts'

/** The version that an upgrade begins with: the oldest whose sessions, sign-ins and handoffs this one still serves. */
const EARLIER = '8167835e162556ddea2e5122084f43e626e698b1'

/** Lays the sources of the earlier version into a folder of its own, over the packages of this checkout. @returns its main.ts */
export function checkOutEarlier(owner: Owner): string {
  const root = new URL('../..', import.meta.url).pathname
  const folder = mkdtempSync(join(tmpdir(), 'earlier-version-'))
  owner.after(async () => rmSync(folder, { recursive: true }))
  const archive = execFileSync(
    'git',
    ['-C', root, 'archive', EARLIER, 'src', 'client', 'package.json', 'openapi.yaml'],
    {
      maxBuffer: 64 * 1024 * 1024,
    },
  )
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'src/main.ts')
}
