import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Hood } from './hood/hood.ts'
import { createNativeClient } from './phone/native-client.ts'
import { startStaticServer } from './static.ts'

export interface PageUrls {
  readonly spa: string
  readonly bff: string
  readonly phone: string
}

const foldersOf = (page: string): string[] =>
  ['look', page].map((name) => fileURLToPath(new URL(name, import.meta.url)))

/** Serves the single-page app and the phone, each on its own origin. */
export async function startPages({ spa, bff, phone }: PageUrls, hood: Hood): Promise<readonly Server[]> {
  const values = { SPA_URL: spa, BFF_URL: bff, PHONE_URL: phone }
  const exchanges = { path: '/exchanges/', answer: hood.answer }
  const native = { path: '/native/', answer: createNativeClient({ bffUrl: bff, prefix: '/native' }) }
  return Promise.all([
    startStaticServer({ folders: foldersOf('spa'), origin: spa, trusts: [bff], values, handler: exchanges }),
    startStaticServer({ folders: foldersOf('phone'), origin: phone, pages: ['/signed-in'], values, handler: native }),
  ])
}
