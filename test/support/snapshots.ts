import { writeFileSync } from 'node:fs'
import { buildEnvExample } from '../../src/config/env-example.ts'
import { buildOpenapi } from './openapi-document.ts'

/** The files that are written from the code, by their place in the repository. */
export const SNAPSHOTS: Readonly<Record<string, () => string | Promise<string>>> = {
  '.env.example': buildEnvExample,
  'openapi.yaml': buildOpenapi,
}

if (import.meta.main) {
  for (const [name, build] of Object.entries(SNAPSHOTS)) {
    writeFileSync(new URL(`../../${name}`, import.meta.url), await build())
    console.log(`wrote ${name}`)
  }
}
