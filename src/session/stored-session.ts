import { pack, unpack } from './pack.ts'
import type { Session, SessionMeta, SessionRecord, SessionTokens, UserClaims } from './record.ts'
import type { Seal } from './seal.ts'

/**
 * The value of a session in the store: the length of its first part, in three octets, and two sealed parts. The first is
 * what a list shows, sealed under the keys alone, since whoever lists has other credentials. The second, under keys and
 * credential, is the rest, and opens beside this very first part alone: who may write to the store and has the keys
 * could make a first part of their own, with other limits or for another user.
 */
type Stored = readonly [meta: string, rest: string]

const LENGTH_OCTETS = 3

/** Of both parts. Another one was sealed by us, but is not to be guessed at. */
const VERSION = 1

export function sealSession(seal: Seal, { key, credential, record }: Omit<Session, 'lastUsedAt'>): string {
  const meta = seal.seal('session-meta', key, describeMeta(record))
  const rest = seal.seal('session', credential, packRest(record), meta)
  return writeLength(meta.length) + meta + rest
}

/** @returns undefined unless it is of this key and this credential, and as it was sealed */
export function openSession(
  seal: Seal,
  { key, credential }: Pick<Session, 'key' | 'credential'>,
  stored: string,
): SessionRecord | undefined {
  const [meta, rest] = split(stored)
  const opened = openMeta(seal, key, stored)
  const octets = seal.open('session', credential, rest, meta)
  if (opened === undefined || octets === undefined) return undefined
  const unpacked = unpackRest(octets)
  return unpacked === undefined ? undefined : { ...opened, ...unpacked }
}

/** What a list shows. @returns undefined unless it is of this key, and as it was sealed */
export function openMeta(seal: Seal, key: string, stored: string): SessionMeta | undefined {
  const octets = seal.open('session-meta', key, split(stored)[0])
  return octets === undefined ? undefined : parseMeta(octets.toString())
}

/** False when the key of this session is not, not yet, or not any more among the keys. */
export const hasKeyOf = (seal: Seal, stored: string): boolean => seal.hasKeyOf(split(stored)[1])

function split(stored: string): Stored {
  const end = LENGTH_OCTETS + readLength(stored)
  return [stored.slice(LENGTH_OCTETS, end), stored.slice(end)]
}

const writeLength = (length: number): string =>
  String.fromCharCode((length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff)

const readLength = (stored: string): number =>
  (stored.charCodeAt(0) << 16) | (stored.charCodeAt(1) << 8) | stored.charCodeAt(2)

/** By place and not by name: a name would take more room than most of the values. */
function describeMeta(record: SessionMeta): string {
  const { id, kind, app, issuer, sub, sid, createdAt, expiresAt, idleS, userAgent } = record
  return JSON.stringify([VERSION, id, kind, app, issuer, sub, sid, createdAt, expiresAt, idleS, userAgent])
}

function parseMeta(text: string): SessionMeta | undefined {
  // Authenticated by its seal: nobody but us wrote it.
  const [version, id, kind, app, issuer, sub, sid, createdAt, expiresAt, idleS, userAgent] = JSON.parse(text)
  if (version !== VERSION) return undefined
  const named = { ...(app !== null && { app }), ...(sid !== null && { sid }) }
  return { id, kind, ...named, issuer, sub, createdAt, expiresAt, idleS, userAgent }
}

function packRest({ generation, claims, tokens }: SessionRecord): Buffer {
  const { accessToken, accessTokenExpiresAt, refreshToken, idToken, scope, obtainedAt, previous } = tokens
  const values = [VERSION, generation, accessTokenExpiresAt, obtainedAt, scope, previous?.until, claims]
  return pack([JSON.stringify(values), accessToken, idToken, refreshToken, previous?.refreshToken])
}

/** As `packRest` puts them. */
type Rest = [values: string, accessToken: string, idToken: string, refreshToken?: string, previousToken?: string]

function unpackRest(octets: Buffer): Pick<SessionRecord, 'generation' | 'claims' | 'tokens'> | undefined {
  const [values, accessToken, idToken, refreshToken, previousToken] = unpack(octets) as Rest
  const [version, generation, accessTokenExpiresAt, obtainedAt, scope, until, claims] = JSON.parse(values)
  if (version !== VERSION) return undefined
  const tokens: SessionTokens = {
    accessToken,
    accessTokenExpiresAt,
    ...(refreshToken !== undefined && { refreshToken }),
    idToken,
    scope,
    obtainedAt,
    ...(previousToken !== undefined && { previous: { refreshToken: previousToken, until } }),
  }
  return { generation, claims: claims as UserClaims, tokens }
}
