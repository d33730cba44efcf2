import { hash } from 'node:crypto'
import { drawRandom } from '../random.ts'

/**
 * How a session's credential travels. A browser's cookie and an app's are told apart before the store is asked, since
 * requests without `Origin` are refused for the one and normal for the other (contract §8).
 */
export type CredentialKind = 'browser-cookie' | 'app-cookie' | 'app-token'

const PREFIXES = { 'browser-cookie': 'b_', 'app-cookie': 'c_', 'app-token': 't_' } as const satisfies Record<
  CredentialKind,
  string
>

/** The prefix, then 256 random bits (SC-04) in base64url. */
const SHAPES: readonly (readonly [CredentialKind, RegExp])[] = [
  ['browser-cookie', /^b_[A-Za-z0-9_-]{43}$/],
  ['app-cookie', /^c_[A-Za-z0-9_-]{43}$/],
  ['app-token', /^t_[A-Za-z0-9_-]{43}$/],
]

/** An unguessable string from the system's generator, `octets` long before base64url. */
export const createSecret = (octets = 32): string => drawRandom(octets).toString('base64url')

/** A fresh credential; only its hash is ever stored (SC-05). */
export const createCredential = (kind: CredentialKind): string => PREFIXES[kind] + createSecret()

/** The kind that a value claims by its form, undefined for anything that is no credential of ours. */
export const parseCredentialKind = (value: string): CredentialKind | undefined =>
  SHAPES.find(([, shape]) => shape.test(value))?.[0]

/** What the store may know of a secret: its SHA-256, base64url. A guess cannot be checked faster than by brute force. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'base64url')
