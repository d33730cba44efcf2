import { randomBytes } from 'node:crypto'
import { loadConfig } from '../../src/config.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { baseEnv } from '../../test/support/env.ts'
import { buildUser } from './user.ts'

/** One value, or one member of a set, as a store's verbs `set` and `addMember` take it. */
export interface Write {
  readonly verb: 'set' | 'addMember'
  readonly key: string
  readonly value: string
  readonly ttlS: number
}

/** All that a store holds of one session. */
export type StoredSession = readonly Write[]

export interface FillPlan {
  /** The environment of the service that will find them: issuer, limits, sealing keys. */
  readonly env: Readonly<Record<string, string>>
  /** How many, in all. */
  readonly sessions: number
  /** How many of them can be asked for; at most `sessions`. */
  readonly asked: number
  /** How long the access tokens live from now; negative for tokens that are due for a refresh. */
  readonly tokenLifeS: number
}

/** Takes a batch of sessions into a store. */
export type Load = (batch: readonly StoredSession[]) => Promise<void> | void

const BATCH = 500

/**
 * Makes sessions and hands them over, some hundred at a time. Those to be asked for are made by the module that makes
 * them in the service. The others take their room: the same records under keys and in indexes of their own, which no
 * credential opens.
 *
 * @returns the credentials of those to be asked for
 */
export async function fillSessions(plan: FillPlan, load: Load): Promise<string[]> {
  const { sessions: count, asked } = plan
  const { make, close } = createMaker(plan)
  const credentials: string[] = []
  const copyOf: (() => StoredSession)[] = []
  let batch: StoredSession[] = []
  for (let index = 0; index < count; index++) {
    const copy = copyOf[index % asked]
    if (index < asked) {
      const { credential, session } = await make(index)
      credentials.push(credential)
      copyOf.push(createCopier(session))
      batch.push(session)
    } else if (copy !== undefined) {
      batch.push(copy())
    }
    if (batch.length === BATCH || index === count - 1) {
      await load(batch)
      batch = []
    }
  }
  await close()
  return credentials
}

/** Creates sessions as the service does, on a store that notes what is written. */
function createMaker({ env, tokenLifeS }: FillPlan) {
  const config = loadConfig({ ...baseEnv(), ...env })
  const now = (): number => Date.now() / 1000
  const writes: Write[] = []
  const note = (verb: Write['verb']) => async (key: string, value: string, ttlS: number) => {
    writes.push({ verb, key, value, ttlS })
  }
  const store: Store = { ...createMemoryStore({ now }), set: note('set'), addMember: note('addMember') }
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now })
  return {
    async make(index: number): Promise<{ credential: string; session: StoredSession }> {
      const { credential } = await sessions.create(buildUser(config.idp.issuer, index, tokenLifeS))
      return { credential, session: writes.splice(0) }
    },
    close: () => store.close(),
  }
}

/** What comes before and after the hash in the name of a key; a member of a list is the hash alone. */
const AROUND_HASH = /^([^{]*\{|)([^{}]*)(\}.*|)$/

/**
 * Copies under hashes of their own: what has one hash in the model has one hash in the copy. Each value is a new string,
 * or those in memory would share their octets.
 */
function createCopier(model: StoredSession): () => StoredSession {
  const names: string[] = []
  const parse = (text: string) => {
    const [, before = '', hash = '', after = ''] = AROUND_HASH.exec(text) ?? []
    if (!names.includes(hash)) names.push(hash)
    return { before, after, name: names.indexOf(hash) }
  }
  const parts = model.map(({ verb, key, value, ttlS }) => {
    return { verb, ttlS, key: parse(key), value: verb === 'set' ? Buffer.from(value, 'latin1') : parse(value) }
  })
  return () => {
    const others = names.map(({ length }) => randomBytes(32).toString('base64url').slice(0, length))
    const build = ({ before, after, name }: ReturnType<typeof parse>): string => before + others[name] + after
    return parts.map(({ verb, ttlS, key, value }) => {
      return { verb, ttlS, key: build(key), value: Buffer.isBuffer(value) ? value.toString('latin1') : build(value) }
    })
  }
}

/** Octets of a session that are the user's own: what the IdP issued and said. */
export function measureContent(env: FillPlan['env']): number {
  const config = loadConfig({ ...baseEnv(), ...env })
  const { tokens, claims } = buildUser(config.idp.issuer, 0, 0)
  return (
    tokens.accessToken.length +
    (tokens.refreshToken?.length ?? 0) +
    tokens.idToken.length +
    JSON.stringify(claims).length
  )
}
