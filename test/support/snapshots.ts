import { readFileSync, writeFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import { stringify } from 'yaml'
import { createService } from '../../src/app.ts'
import { buildEnvExample } from '../../src/config/env-example.ts'
import { loadConfig } from '../../src/config.ts'
import { createIdp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { openStore } from '../../src/store/index.ts'
import { baseEnv, createKey } from './env.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const DESCRIPTION = [
  'Login with Oten for single-page and mobile apps. A page calls these paths with credentials.',
  'Every failure has one shape: a stable `error` code, a fixed sentence, and an id that is also in the log.',
  'The session cookie is `__Host-Http-oten_session` on https, `oten_session` on plain-http localhost.',
].join('\n')

/** `openapi.yaml` as the routes' own schemas give it. */
export async function buildOpenapi(): Promise<string> {
  const now = (): number => 0
  const env = {
    ...baseEnv(),
    PUBLIC_URL: 'http://localhost:8080',
    OTEN_ISSUER: 'https://idp.example',
    JAR_KEYS: createKey().privateJwk,
  }
  const config = loadConfig(env)
  const { log } = createLog('silent')
  const store = await openStore('memory:', { now })
  const idp = createIdp(config, { now, log })
  const { app, admin } = await createService({ config, store, idp, log, now }, async (bare) => {
    await bare.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'oten-bff', description: DESCRIPTION, version },
        servers: [{ url: 'https://app.example.com', description: 'PUBLIC_URL' }],
        components: {
          securitySchemes: {
            session: { type: 'apiKey', in: 'cookie', name: '__Host-Http-oten_session' },
            appToken: { type: 'http', scheme: 'bearer' },
          },
        },
      },
    })
  })
  await app.ready()
  const document = app.swagger()
  await Promise.all([app.close(), admin.close()])
  await store.close()
  return stringify(document, { lineWidth: 120 })
}

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
