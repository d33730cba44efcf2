import { hash } from 'node:crypto'
import { createSecret, hashSecret } from '../session/credential.ts'
import type { Seal } from '../session/seal.ts'
import type { Store } from '../store/store.ts'
import type { ReturnTo } from './return-to.ts'

/** How long a user may take at the IdP; the transaction cookie lives as long (ST-06). */
export const TRANSACTION_S = 600

/** How many sign-ins of one browser may be in flight (contract §3). */
export const TRANSACTIONS_MAX = 20

/** Whom a sign-in is for: a browser that goes back to a page, or an app that waits for its deep link. */
export type SignInTarget =
  | { readonly kind: 'browser'; readonly returnTo: ReturnTo }
  | { readonly kind: 'app'; readonly app: string; readonly codeChallenge: string; readonly state: string | undefined }

/** A sign-in in flight. Never leaves the server; the browser holds only the secret that opens it. */
export interface Transaction {
  readonly state: string
  readonly nonce: string
  /** PKCE (RFC 7636): shows the IdP that who redeems the code is who asked for it. */
  readonly codeVerifier: string
  readonly issuer: string
  readonly redirectUri: string
  readonly target: SignInTarget
  readonly maxAge?: number | undefined
  readonly acrValues?: string | undefined
  /** Epoch microseconds by the store's clock: tells whether a sign-out, on whatever replica, came before or after. */
  readonly startedAtUs: number
  /** Epoch seconds. */
  readonly expiresAt: number
  /** The store key of the browser's session when the sign-in started: a `Strict` cookie is absent on the way back. */
  readonly earlierSessionKey?: string | undefined
}

/** What the browser keeps of a transaction: which one, and the secret that binds it to this browser (RFC 9700 §4.7.1). */
export interface TransactionCookie {
  /** Eight characters, told by the `state`. */
  readonly suffix: string
  readonly value: string
}

/** What a sign-in is for; the rest is fresh for each. */
export type TransactionInput = Omit<Transaction, 'state' | 'nonce' | 'codeVerifier' | 'startedAtUs' | 'expiresAt'>

export interface Transactions {
  /** Keeps a fresh one. No two share a value (ST-02). */
  start(input: TransactionInput): Promise<StartedTransaction>
  /**
   * Of many callers with the same state and cookie, exactly one gets it (CB-02). Without the right cookie nobody does,
   * and it stays whole: a stranger who saw the state can neither use nor burn it (CB-01).
   */
  take(state: string, cookieValue: string): Promise<Transaction | undefined>
}

export interface StartedTransaction {
  readonly transaction: Transaction
  readonly codeChallenge: string
  readonly cookie: TransactionCookie
}

export interface TransactionsDeps {
  readonly store: Store
  readonly seal: Seal
  /** Epoch seconds. */
  readonly now: () => number
}

/** The part of a transaction cookie's name that tells which of several sign-ins a callback belongs to. */
export const transactionSuffix = (state: string): string => hashSecret(state).slice(0, 8)

/** When a cookie's sign-in started, epoch seconds; 0 for a value that is not ours. For deleting the oldest, no more. */
export function parseStartedAt(cookieValue: string): number {
  const [startedAt = ''] = cookieValue.split('.')
  return /^[0-9a-z]{1,8}$/.test(startedAt) ? Number.parseInt(startedAt, 36) : 0
}

const transactionKey = (state: string): string => `transaction:${hashSecret(state)}`

/** Sign-ins in flight: bound to the browser, taken once. */
export function createTransactions({ store, seal, now }: TransactionsDeps): Transactions {
  return {
    async start(input) {
      const transaction: Transaction = {
        ...input,
        state: createSecret(),
        nonce: createSecret(),
        codeVerifier: createSecret(),
        startedAtUs: await store.time(),
        expiresAt: now() + TRANSACTION_S,
      }
      // 128 bits keep twenty cookies under 2 kB together; whoever guesses must also know the state.
      const value = `${Math.floor(now()).toString(36)}.${createSecret(16)}`
      const sealed = seal.seal('transaction', value, JSON.stringify(transaction))
      await store.set(transactionKey(transaction.state), sealed, TRANSACTION_S)
      return {
        transaction,
        codeChallenge: hash('sha256', transaction.codeVerifier, 'base64url'),
        cookie: { suffix: transactionSuffix(transaction.state), value },
      }
    },

    async take(state, cookieValue) {
      const key = transactionKey(state)
      const found = await store.get(key)
      if (found === undefined) return undefined
      const plaintext = seal.open('transaction', cookieValue, found) // The seal is the check of the binding.
      if (plaintext === undefined) return undefined
      if ((await store.take(key)) === undefined) return undefined // Another callback was first.
      const transaction = JSON.parse(plaintext.toString()) as Transaction // Authenticated by its seal: we wrote it.
      // The inner limit, for a store that keeps things too long.
      return now() < transaction.expiresAt ? transaction : undefined
    },
  }
}
