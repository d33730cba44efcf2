import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

interface Entry {
  readonly payload: AdapterPayload
  /** Epoch milliseconds; `Infinity` for what never expires, such as a registered client. */
  readonly expiresAtMs: number
}

/** All that the simulator remembers, in this process only. */
export interface MemoryStore {
  readonly adapter: AdapterFactory
  /** Living records of one model, e.g. `Session`. To be read, not changed. */
  list(model: string): AdapterPayload[]
  put(model: string, id: string, payload: AdapterPayload, ttlS?: number): void
  remove(model: string, id: string): void
  /** Ends everything that descends from one authorization: code, access tokens, refresh tokens, the grant itself. */
  revokeGrant(grantId: string): void
}

/** Writes between two sweeps of what has expired: memory stays bounded without a timer that holds the process. */
const SWEEP_EVERY = 5000

/**
 * The provider's own memory adapter keeps 1000 records of all kinds together: under load it forgets sessions, and
 * replay records with them. This one forgets only what has expired, by `Date.now()`.
 */
export function createMemoryStore(): MemoryStore {
  const models = new Map<string, Map<string, Entry>>()
  const grants = new Map<string, Map<string, { model: string; id: string }>>()
  const sessionIds = new Map<string, string>()
  let writes = 0

  const entriesOf = (model: string): Map<string, Entry> => {
    const known = models.get(model)
    if (known !== undefined) return known
    const created = new Map<string, Entry>()
    models.set(model, created)
    return created
  }

  const remove = (model: string, id: string): void => {
    const entry = models.get(model)?.get(id)
    if (entry === undefined) return
    models.get(model)?.delete(id)
    const { grantId, uid } = entry.payload
    if (model === 'Session' && uid !== undefined && sessionIds.get(uid) === id) sessionIds.delete(uid)
    if (grantId === undefined) return
    const members = grants.get(grantId)
    members?.delete(`${model}:${id}`)
    if (members?.size === 0) grants.delete(grantId)
  }

  const sweep = (): void => {
    const now = Date.now()
    for (const [model, entries] of models) {
      for (const [id, entry] of entries) if (entry.expiresAtMs <= now) remove(model, id)
    }
  }

  const find = (model: string, id: string): AdapterPayload | undefined => {
    const entry = models.get(model)?.get(id)
    if (entry === undefined) return undefined
    if (entry.expiresAtMs > Date.now()) return structuredClone(entry.payload)
    remove(model, id)
    return undefined
  }

  const put = (model: string, id: string, payload: AdapterPayload, ttlS?: number): void => {
    writes += 1
    if (writes % SWEEP_EVERY === 0) sweep()
    remove(model, id)
    const expiresAtMs = ttlS === undefined ? Number.POSITIVE_INFINITY : Date.now() + ttlS * 1000
    entriesOf(model).set(id, { payload: structuredClone(payload), expiresAtMs })
    if (model === 'Session' && payload.uid !== undefined) sessionIds.set(payload.uid, id)
    // Not `Interaction`: a page that is still open is not part of what was granted.
    if (payload.grantId === undefined || model === 'Interaction') return
    const members = grants.get(payload.grantId) ?? new Map<string, { model: string; id: string }>()
    members.set(`${model}:${id}`, { model, id })
    grants.set(payload.grantId, members)
  }

  const revokeTokens = (grantId: string): void => {
    for (const { model, id } of [...(grants.get(grantId)?.values() ?? [])]) remove(model, id)
  }

  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => put(model, id, payload, expiresIn),
    find: async (id) => find(model, id),
    findByUid: async (uid) => find(model, sessionIds.get(uid) ?? ''),
    findByUserCode: async () => undefined, // The device flow is off.
    consume: async (id) => {
      const entry = models.get(model)?.get(id)
      if (entry !== undefined) entry.payload.consumed = Math.floor(Date.now() / 1000)
    },
    destroy: async (id) => remove(model, id),
    revokeByGrantId: async (grantId) => revokeTokens(grantId),
  })

  return {
    adapter,
    list: (model) => {
      const now = Date.now()
      return [...entriesOf(model).values()].filter((entry) => entry.expiresAtMs > now).map((entry) => entry.payload)
    },
    put,
    remove,
    revokeGrant: (grantId) => {
      revokeTokens(grantId)
      remove('Grant', grantId)
    },
  }
}
