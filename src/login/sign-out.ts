import { createSecret, hashSecret } from '../session/credential.ts'
import type { Seal } from '../session/seal.ts'
import type { Store } from '../store/store.ts'
import type { ReturnTo } from './return-to.ts'

/** How long the page may take to navigate to the logout URL it was given (contract §6). */
const TICKET_S = 60

/** How long the user may take at the IdP's own sign-out. */
const LANDING_S = 600

/** A sign-out on its way to the IdP: kept here, so that page script never holds the ID token. */
export interface SignOut {
  readonly idToken: string
  readonly returnTo: ReturnTo | undefined
}

export interface SignOuts {
  /** @returns a ticket for `/auth/logout/continue`: one use, at most 60 s */
  start(signOut: SignOut): Promise<string>
  /** Of many callers with the same ticket, exactly one gets it, with the `state` for the IdP to bring back. */
  continue(ticket: string): Promise<(SignOut & { readonly state: string }) | undefined>
  /** Where the user goes, told by the state once; undefined for an unknown one, which decides nothing (LO-06). */
  land(state: string): Promise<ReturnTo | undefined>
}

const ticketKey = (ticket: string): string => `sign-out:${hashSecret(ticket)}`
const landingKey = (state: string): string => `signed-out:${hashSecret(state)}`

/** RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2) in flight. */
export function createSignOuts({ store, seal }: { readonly store: Store; readonly seal: Seal }): SignOuts {
  return {
    async start(signOut) {
      const ticket = createSecret()
      await store.set(ticketKey(ticket), seal.seal('sign-out', ticket, JSON.stringify(signOut)), TICKET_S)
      return ticket
    },

    async continue(ticket) {
      const sealed = await store.take(ticketKey(ticket))
      const plaintext = sealed === undefined ? undefined : seal.open('sign-out', ticket, sealed)
      if (plaintext === undefined) return undefined
      const signOut = JSON.parse(plaintext.toString()) as SignOut // Authenticated by its seal: we wrote it.
      const state = createSecret()
      if (signOut.returnTo !== undefined) {
        await store.set(landingKey(state), seal.seal('sign-out', state, signOut.returnTo), LANDING_S)
      }
      return { ...signOut, state }
    },

    async land(state) {
      const sealed = await store.take(landingKey(state))
      if (sealed === undefined) return undefined
      return seal.open('sign-out', state, sealed)?.toString() as ReturnTo | undefined // It was one when we sealed it.
    },
  }
}
