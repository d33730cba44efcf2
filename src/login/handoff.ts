import { hash, timingSafeEqual } from 'node:crypto'
import { createSecret, hashSecret } from '../session/credential.ts'
import type { NewSession } from '../session/record.ts'
import type { Seal } from '../session/seal.ts'
import type { Store } from '../store/store.ts'

/** How long an app may take to redeem (MH-05). */
const HANDOFF_S = 60

/** How long a spent code is remembered, to end the session it gave when it comes again (MH-07). */
const SPENT_S = 3600

/** A finished sign-in that waits for its app. Sealed under the handoff code, which only the deep link carries. */
export interface Handoff {
  /** S256 of a verifier that only the app knows (RFC 7636 §4.2), apart from the pair used with the IdP. */
  readonly codeChallenge: string
  readonly session: Omit<NewSession, 'kind' | 'userAgent'>
  /** When its sign-in began: epoch microseconds by the store's clock. */
  readonly startedAtUs: number
  /** Epoch seconds. */
  readonly expiresAt: number
}

/** What became of a code: the handoff, or that it is of no use, and the session to end when it was used before. */
export type Redemption =
  | { readonly kind: 'redeemed'; readonly handoff: Handoff }
  | { readonly kind: 'refused'; readonly reason: string; readonly earlierSessionKey?: string | undefined }

export interface Handoffs {
  /** @returns the one-time code for the deep link: 256 random bits, at most 60 s, its hash alone in the store (MH-05) */
  create(handoff: Omit<Handoff, 'expiresAt'>): Promise<string>
  /** Takes the code, whatever comes of it: a wrong verifier burns it, so there is one guess (MH-06). */
  redeem(code: string, codeVerifier: string): Promise<Redemption>
  /**
   * Remembers which session a redeemed code gave. False when the code came a second time meanwhile: two parties hold
   * it, so the session must not live (MH-07).
   */
  markSpent(code: string, sessionKey: string): Promise<boolean>
  /** Makes the code worthless: it reached a browser where the app should have been (MH-12). */
  burn(code: string): Promise<void>
}

export interface HandoffsDeps {
  readonly store: Store
  readonly seal: Seal
  /** Epoch seconds. */
  readonly now: () => number
}

const handoffKey = (code: string): string => `handoff:${hashSecret(code)}`
const spentKey = (code: string): string => `handoff-spent:${hashSecret(code)}`
const repeatedKey = (code: string): string => `handoff-repeated:${hashSecret(code)}`

/** What stands for a session that is still being made, or never will be. */
const PENDING = 'pending'

/** One-time codes that carry a sign-in from the system browser to the app that asked for it. */
export function createHandoffs({ store, seal, now }: HandoffsDeps): Handoffs {
  return {
    async create(handoff) {
      const code = createSecret()
      const plaintext = JSON.stringify({ ...handoff, expiresAt: now() + HANDOFF_S })
      await store.set(handoffKey(code), seal.seal('handoff', code, plaintext), HANDOFF_S)
      return code
    },

    async redeem(code, codeVerifier) {
      const key = handoffKey(code)
      if ((await store.get(key)) === undefined) return refuseRepeated(store, code)
      // Before the code is taken: so whoever comes second, however soon, finds that there was a first.
      await store.add(spentKey(code), PENDING, SPENT_S)
      const sealed = await store.take(key)
      if (sealed === undefined) return refuseRepeated(store, code)
      const plaintext = seal.open('handoff', code, sealed)
      if (plaintext === undefined) return { kind: 'refused', reason: 'sealed_with_a_retired_key' }
      const handoff = JSON.parse(plaintext.toString()) as Handoff // Authenticated by its seal: we wrote it.
      if (now() >= handoff.expiresAt) return { kind: 'refused', reason: 'expired' }
      if (!isVerifierOf(codeVerifier, handoff.codeChallenge)) return { kind: 'refused', reason: 'wrong_verifier' }
      return { kind: 'redeemed', handoff }
    },

    async markSpent(code, sessionKey) {
      await store.set(spentKey(code), sessionKey, SPENT_S)
      return (await store.get(repeatedKey(code))) === undefined
    },

    async burn(code) {
      await store.delete(handoffKey(code))
    },
  }
}

/** Leaves its mark before it looks for the session: so either we find the session, or its maker finds the mark. */
async function refuseRepeated(store: Store, code: string): Promise<Redemption> {
  if ((await store.get(spentKey(code))) === undefined) return { kind: 'refused', reason: 'unknown' }
  await store.set(repeatedKey(code), '1', SPENT_S)
  const spent = await store.get(spentKey(code))
  return { kind: 'refused', reason: 'used', earlierSessionKey: spent === PENDING ? undefined : spent }
}

/** RFC 7636 §4.1 form, then S256, compared in constant time. */
function isVerifierOf(codeVerifier: string, codeChallenge: string): boolean {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(codeVerifier)) return false
  const actual = hash('sha256', codeVerifier, 'buffer')
  const expected = Buffer.from(codeChallenge, 'base64url')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}
