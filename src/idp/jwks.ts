import { type CryptoKey, importJWK } from 'jose'
import { BffError } from '../errors.ts'
import type { FetchIdp } from './http.ts'
import { createLastGood } from './last-good.ts'
import type { Metadata } from './metadata.ts'

const FRESH_S = 3600
const KEEP_S = 24 * 3600
const COOLDOWN_S = 2

/** Tokens with invented key ids must not become a flood at the IdP (BL-14). */
const UNKNOWN_KID_EVERY_S = 10

/** The IdP's signature keys: cached, and asked for again when a token names one that is not there. */
export interface Jwks {
  /**
   * The Ed25519 key of this id; without an id, the only key there is (D8).
   *
   * @returns undefined when no key, or more than one, fits
   * @throws {BffError} idp_unavailable when the keys cannot be had, or were asked for a moment ago: then that this key is
   *   not among them says little
   */
  findKey(header: { readonly kid?: string | undefined }): Promise<CryptoKey | undefined>
}

/** The same keys for two kinds of askers, whose unknown key ids are limited apart. */
export interface JwksPair {
  /** For tokens that the IdP itself gave us. */
  readonly own: Jwks
  /** For tokens that anybody can send: what they invent must not use up what our own may ask (BL-14). */
  readonly strangers: Jwks
}

export interface JwksOptions {
  readonly metadata: Pick<Metadata, 'get'>
  readonly fetch: FetchIdp
  /** Epoch seconds. */
  readonly now: () => number
}

interface SignatureKey {
  readonly kid: string | undefined
  readonly x: string
  readonly key: CryptoKey
}

/** Nothing is fetched before the first `findKey`. */
export function createJwks({ metadata, fetch, now }: JwksOptions): JwksPair {
  const load = async (): Promise<readonly SignatureKey[]> => {
    const { jwksUri } = await metadata.get()
    return parseJwks(await fetch(jwksUri, { method: 'GET', headers: { accept: 'application/json' } }))
  }
  const cache = createLastGood({ load, now, keepS: KEEP_S, cooldownS: COOLDOWN_S })
  /** A removed key must not live on (KY-05), so an old copy counts only where a new one cannot be had. */
  const refreshOld = async (): Promise<readonly SignatureKey[]> => {
    try {
      return await cache.refresh()
    } catch (error) {
      const copy = cache.peek()
      if (copy === undefined) throw error
      return copy.value
    }
  }

  const createView = (): Jwks => {
    let lastMiss: { readonly at: number; readonly keys: Promise<unknown> } | undefined
    let isAsking = false

    const askAgain = async (): Promise<void> => {
      if (!isAsking && lastMiss !== undefined && now() - lastMiss.at < UNKNOWN_KID_EVERY_S) {
        throw new BffError('idp_unavailable', 'jwks: a key id that is unknown, a moment after another one')
      }
      if (!isAsking) {
        isAsking = true
        const keys = cache.refresh().finally(() => {
          isAsking = false
        })
        lastMiss = { at: now(), keys }
      }
      await lastMiss?.keys // Whoever comes meanwhile waits for the same answer.
    }

    return {
      async findKey({ kid }) {
        const copy = cache.peek()
        if (copy === undefined) return selectKey(await cache.refresh(), kid)
        const keys = copy.ageS > FRESH_S ? await refreshOld() : copy.value
        const key = selectKey(keys, kid)
        if (key !== undefined) return key
        await askAgain()
        return selectKey(cache.peek()?.value ?? [], kid)
      },
    }
  }

  return { own: createView(), strangers: createView() }
}

/** One key may be listed under both of its algorithm names; two different keys that fit are no answer. */
function selectKey(keys: readonly SignatureKey[], kid: string | undefined): CryptoKey | undefined {
  const fitting = kid === undefined ? keys : keys.filter((key) => key.kid === kid)
  const [key, ...others] = fitting
  return others.every(({ x }) => x === key?.x) ? key?.key : undefined
}

async function parseJwks(response: Response): Promise<readonly SignatureKey[]> {
  const body: unknown = response.status === 200 ? await response.json().catch(() => undefined) : undefined
  if (!isObject(body) || !Array.isArray(body.keys)) {
    throw new BffError('idp_unavailable', `jwks answered ${response.status}, without a JWK Set`)
  }
  const keys = await Promise.all(body.keys.map(importKey))
  return keys.filter((key) => key !== undefined)
}

/** An entry that is for something else, or that makes no sense, is passed over: the others still count (RFC 7517 §5). */
async function importKey(jwk: unknown): Promise<SignatureKey | undefined> {
  if (!isObject(jwk)) return undefined
  const { kty, crv, x, kid, alg, use, key_ops: operations } = jwk
  if (kty !== 'OKP' || crv !== 'Ed25519' || typeof x !== 'string') return undefined
  if (alg !== undefined && alg !== 'EdDSA' && alg !== 'Ed25519') return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined
  if (kid !== undefined && typeof kid !== 'string') return undefined
  if ('d' in jwk) return undefined // Its private half is public: anybody signs with it.
  try {
    const key = await importJWK({ kty, crv, x }, 'EdDSA')
    return key instanceof Uint8Array ? undefined : { kid, x, key }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
