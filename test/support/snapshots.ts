import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { buildEnvExample } from '../../src/config/env-example.ts'
import { buildClient } from './client-build.ts'
import { buildClientTypes } from './client-types.ts'
import { buildOpenapi } from './openapi-document.ts'

const ROOT = new URL('../..', import.meta.url)

/** The files that are written from the code, by their place in the repository; each may be made of those before it. */
export const SNAPSHOTS: Readonly<Record<string, () => string | Promise<string>>> = {
  '.env.example': buildEnvExample,
  'openapi.yaml': buildOpenapi,
  'client/src/api.ts': buildClientTypes,
}

/** A folder of its own: what is no longer made of a source goes. */
function writeClient(): void {
  const folder = new URL('client/dist/', ROOT)
  const files = buildClient()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, text] of files) writeFileSync(new URL(name, folder), text)
}

if (import.meta.main) {
  for (const [name, build] of Object.entries(SNAPSHOTS)) {
    writeFileSync(new URL(name, ROOT), await build())
    console.log(`wrote ${name}`)
  }
  writeClient()
  console.log('wrote client/dist')
}
