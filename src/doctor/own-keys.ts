import type { Secrets } from '../config.ts'
import type { FetchIdp } from '../idp/http.ts'
import { buildPublicJwks } from '../idp/signing-keys.ts'
import { about, type Check } from './check.ts'
import { describeFailure, type Failure } from './failure.ts'

const { ok, warn, fail } = about('own keys')

const START =
  'start the service, and let the reverse proxy send /auth/ of PUBLIC_URL to its PORT; until then this is no fault'

/** Whether the service runs where browsers and Oten look for it, with the keys of this configuration. */
export async function checkOwnKeys(
  publicUrl: string,
  secrets: Pick<Secrets, 'jarKeys' | 'assertionKeys'>,
  fetch: FetchIdp,
): Promise<Check> {
  const url = `${publicUrl}/auth/jwks.json`
  let response: Response
  try {
    response = await fetch(url, { method: 'GET', headers: { accept: 'application/json' } })
  } catch (error) {
    return explainFailure(url, describeFailure(error))
  }
  const found = readKeys(await response.json().catch(() => undefined))
  if (response.status !== 200 || found === undefined) {
    return warn(`${url} answered ${response.status}, without a JWK Set: this service is not behind it yet`, START)
  }
  const missing = buildPublicJwks(secrets).keys.filter(({ kid, x }) => !found.has(`${kid} ${x}`))
  if (missing.length === 0) return ok(`${url} publishes the keys of this configuration`)
  const kids = missing.map(({ kid }) => kid).join(', ')
  return fail(
    `${url} does not publish ${kids}: the service that answers there has other keys`,
    'give the service the same JAR_KEYS and JAR_KEY_ID as the doctor, and restart it where they do not come from files',
  )
}

/** Kid and public key of each entry. */
function readKeys(body: unknown): ReadonlySet<string> | undefined {
  if (typeof body !== 'object' || body === null || !('keys' in body) || !Array.isArray(body.keys)) return undefined
  return new Set(body.keys.map((key) => `${key?.kid} ${key?.x}`))
}

/** A certificate that browsers refuse stays wrong when the service starts; all else may be only that it has not yet. */
function explainFailure(url: string, { kind, words }: Failure): Check {
  switch (kind) {
    case 'expired':
    case 'other-host':
      return fail(`${url}: ${words}`, 'give the server that ends TLS for PUBLIC_URL a valid certificate for this host')
    case 'unknown-ca':
    case 'not-yet-valid':
      return warn(
        `${url}: ${words}`,
        'name the file of a private CA in NODE_EXTRA_CA_CERTS; other machines must know that CA, too',
      )
    default:
      return warn(`${url} cannot be reached from here: ${words}`, START)
  }
}
