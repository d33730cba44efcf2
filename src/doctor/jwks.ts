import type { FetchIdp } from '../idp/http.ts'
import { createJwks } from '../idp/jwks.ts'
import type { IdpMetadata } from '../idp/metadata.ts'
import { about, type Check } from './check.ts'
import { describeFailure, WAY_TO_IDP } from './failure.ts'

const { ok, fail } = about('JWKS')

interface Deps {
  readonly metadata: IdpMetadata
  readonly fetch: FetchIdp
  /** Epoch seconds. */
  readonly now: () => number
}

/** Whether the service finds a key in it with which an ID token could be verified. */
export async function checkJwks({ metadata, fetch, now }: Deps): Promise<Check> {
  let response: Response
  try {
    response = await fetch(metadata.jwksUri, { method: 'GET', headers: { accept: 'application/json' } })
  } catch (error) {
    const { kind, words } = describeFailure(error)
    return fail(`${metadata.jwksUri} cannot be reached: ${words}`, WAY_TO_IDP[kind])
  }
  const body: unknown = await response.json().catch(() => undefined)
  const entries = readEntries(body)
  if (response.status !== 200 || entries === undefined) {
    return fail(
      `${metadata.jwksUri} answered ${response.status}, without a JWK Set`,
      'try again later, or ask Oten support',
    )
  }
  // The service's own reader, on what was fetched just now.
  const { own } = createJwks({ metadata: { get: async () => metadata }, fetch: async () => Response.json(body), now })
  const kids = [...new Set(entries.map(({ kid }) => (typeof kid === 'string' ? kid : undefined)))]
  const found = await Promise.all(kids.map((kid) => own.findKey({ kid }).catch(() => undefined)))
  const usable = found.filter((key) => key !== undefined).length
  const published = `${entries.length} published`
  if (usable > 0) return ok(`${usable} usable Ed25519 ${usable === 1 ? 'key' : 'keys'} (${published})`)
  return fail(`no usable Ed25519 key (${published})`, 'ask Oten support: without one no ID token can be verified')
}

function readEntries(body: unknown): readonly { readonly kid?: unknown }[] | undefined {
  if (typeof body !== 'object' || body === null || !('keys' in body) || !Array.isArray(body.keys)) return undefined
  return body.keys.filter((key) => typeof key === 'object' && key !== null)
}
