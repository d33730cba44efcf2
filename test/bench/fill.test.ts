import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { expireOldest, fillFile } from '../../bench/fill/file.ts'
import { fillRedis } from '../../bench/fill/redis.ts'
import { type FillPlan, measureContent } from '../../bench/fill/sessions.ts'
import { fillStore } from '../../bench/fill/store.ts'
import { loadConfig } from '../../src/config.ts'
import { createSessionEvents } from '../../src/session/events.ts'
import type { ListedSession } from '../../src/session/inventory.ts'
import { createSeal } from '../../src/session/seal.ts'
import { createSessions } from '../../src/session/sessions.ts'
import { openStore } from '../../src/store/index.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { baseEnv, createSessionKey } from '../support/env.ts'
import { startRedis } from '../support/redis.ts'

const now = (): number => Date.now() / 1000

const PLAN: FillPlan = {
  env: {
    PUBLIC_URL: 'http://localhost:8080',
    OTEN_ISSUER: 'http://127.0.0.1:1',
    ALLOW_INSECURE_ISSUER: 'true',
    JAR_ALG: 'HS256',
    SESSION_KEYS: createSessionKey(),
  },
  sessions: 1200,
  asked: 30,
  tokenLifeS: 3600,
}

/** The service's own reading of a filled store. */
async function look(store: Store, credentials: readonly string[]) {
  const config = loadConfig({ ...baseEnv(), ...PLAN.env })
  const seal = createSeal(() => config.secrets.current().sessionKeys)
  const sessions = createSessions({ store, seal, events: createSessionEvents(store), config, now })
  const found = await Promise.all(credentials.map((credential) => sessions.find(credential)))
  const listed: ListedSession[] = []
  for (const { sub } of found.flatMap((one) => one?.record ?? [])) {
    listed.push(...(await sessions.list(config.idp.issuer, sub)))
  }
  let all = 0
  for await (const _ of sessions.listAll()) all += 1
  return { found, listed, all }
}

async function assertFilled(store: Store, credentials: readonly string[]): Promise<void> {
  assert.equal(new Set(credentials).size, PLAN.asked)
  const { found, listed, all } = await look(store, credentials)
  assert.deepEqual(
    found.map((session) => session?.record.sub),
    Array.from({ length: PLAN.asked }, (_, index) => `user-${index}`),
  )
  assert.equal(listed.length, PLAN.asked, 'each is in the index of its user')
  assert.equal(all, PLAN.sessions, 'the others are there, too')
}

const createFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-fill-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('memory: the sessions to be asked for open with their credentials, and all others take their room', async (t) => {
  const store = createMemoryStore({ now })
  t.after(() => store.close())
  await assertFilled(store, await fillStore(store, PLAN))
})

test('file: the same, and the store opens it as its own', async (t) => {
  const path = join(createFolder(t), 'sessions.db')
  const credentials = await fillFile(path, PLAN)
  const store = await openStore(`file:${path}`, { now })
  t.after(() => store.close())
  await assertFilled(store, credentials)
})

test('file: the oldest sessions can be let end, and the others stay', async (t) => {
  const path = join(createFolder(t), 'sessions.db')
  const credentials = await fillFile(path, PLAN)
  const ended = 10
  assert.equal(await expireOldest(path, ended), ended)
  const store = await openStore(`file:${path}`, { now })
  t.after(() => store.close())
  const { found, all } = await look(store, credentials)
  assert.deepEqual(
    found.map((session) => session !== undefined),
    Array.from({ length: PLAN.asked }, (_, index) => index >= ended),
  )
  assert.equal(all, PLAN.sessions - ended)
})

test('Redis: the same, in the database that the URL names', async (t) => {
  const redis = await startRedis(t)
  const url = `${redis.url}/1`
  const credentials = await fillRedis(url, PLAN)
  const store = await openStore(url, { now })
  t.after(() => store.close())
  await assertFilled(store, credentials)
})

test('Redis: a key that it has not taken fails the filling', async (t) => {
  const redis = await startRedis(t, ['--maxmemory', '2mb', '--maxmemory-policy', 'noeviction'])
  await assert.rejects(fillRedis(redis.url, PLAN), /Redis answered/)
})

test('the content of a session is its tokens and claims', () => {
  const content = measureContent(PLAN.env)
  assert.ok(content > 700 + 43 + 400 && content < 1600, `${content}`)
})
