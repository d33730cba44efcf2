import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisStore } from '../../src/store/redis-store.ts'
import type { Browser } from '../../test/support/browser.ts'
import { createSessionKey } from '../../test/support/env.ts'
import { openEvents } from '../../test/support/event-source.ts'
import { type Fleet, startFleet } from '../../test/support/fleet.ts'
import { startRedis } from '../../test/support/redis.ts'
import { until } from '../../test/support/until.ts'
import { createPlanter, type Plant } from './plant.ts'

/** Microseconds of one replica's process, all threads, for each action; and what an open event stream takes of memory. */
export interface ServiceCosts {
  readonly cpuUs: Readonly<Record<string, number>>
  readonly streamOctets: number
}

const AT_ONCE = 16
const SIGN_INS = 300
const PLANTED = 400
const CALLS = 10_000
const STREAMS = 3_000
const STREAMS_OF_ONE = 15 // At most 20 are allowed.
const TOLD = 50_000
const COOKIE = 'oten_session'
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

interface Bench {
  readonly fleet: Fleet
  readonly plant: Plant
  readonly redisUrl: string
  /** Does something so often, some at a time, and notes under a name what each took of the first replica. */
  measure(name: string, count: number, act: (n: number) => Promise<unknown>): Promise<void>
}

/** Two processes of the service over Redis; the first is the one that is asked. */
export async function measureService(t: TestContext): Promise<ServiceCosts> {
  const redis = await startRedis(t)
  const sessionKeys = createSessionKey()
  const env = { SESSION_KEYS: sessionKeys, BACKCHANNEL_LOGOUT: 'on', LOG_LEVEL: 'warn' }
  const fleet = await startFleet(t, { store: redis.url, env })
  const [first] = fleet.replicas
  const cpuUs: Record<string, number> = {}
  const bench: Bench = {
    fleet,
    plant: createPlanter(t, { redisUrl: redis.url, sessionKeys, issuer: fleet.simulator.issuer }),
    redisUrl: redis.url,
    async measure(name, count, act) {
      const before = await readCpuUs(first.adminUrl)
      let next = 0
      const work = async (): Promise<void> => {
        while (next < count) await act(next++)
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
      cpuUs[name] = Math.round(((await readCpuUs(first.adminUrl)) - before) / count)
    },
  }
  await signInMany({ ...bench, measure: async (_name, _count, act) => void (await act(0)) }, 1) // Warm-up.
  await signInMany(bench, SIGN_INS)
  await callMany(bench)
  await endMany(bench)
  await hearMany(t, bench)
  return { cpuUs, streamOctets: await openMany(t, bench) }
}

async function readCpuUs(adminUrl: string): Promise<number> {
  const [, seconds] =
    /^process_cpu_seconds_total ([\d.e-]+)/m.exec(await (await fetch(`${adminUrl}/metrics`)).text()) ?? []
  return Number(seconds) * 1e6
}

async function signInMany({ fleet, measure }: Bench, count: number): Promise<void> {
  const browsers: Browser[] = Array.from({ length: count }, () => fleet.browser())
  const at: string[] = []
  const ask = async (n: number, path: string, method = 'GET') => {
    const answer = await browsers[n]?.fetch(path, { method })
    assert.equal(answer?.status, 200, answer?.text)
    return answer?.json() ?? {}
  }
  await measure('sign-in of a page: start', count, async (n) => {
    at[n] = String((await ask(n, '/auth/start')).authorization_url)
  })
  for (const [n, browser] of browsers.entries()) at[n] = await browser.passIdp(at[n] ?? '', `user-${n}`)
  await measure('sign-in of a page: callback', count, async (n) => browsers[n]?.navigate(at[n] ?? ''))
  await measure('refresh with rotation', count, (n) => ask(n, '/auth/refresh', 'POST'))
  await measure('sign-out', count, (n) => ask(n, '/auth/logout', 'POST'))
}

const plantMany = async (plant: Plant, count: number, idleS?: number): Promise<string[]> => {
  const planted: string[] = []
  for (let n = 0; n < count; n++) planted.push(await plant(`user-${n}`, idleS === undefined ? {} : { idleS }))
  return planted
}

function callWith({ fleet }: Bench, credentials: readonly string[]) {
  return async (n: number, url: string, wanted: number): Promise<void> => {
    const headers = { cookie: `${COOKIE}=${credentials[n % credentials.length]}`, origin: fleet.publicUrl }
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    assert.equal(answer.status, wanted)
  }
}

async function callMany(bench: Bench): Promise<void> {
  const { fleet, measure, plant } = bench
  const { url, adminUrl } = fleet.replicas[0]
  const call = callWith(bench, await plantMany(plant, PLANTED))
  await measure('session check, the first on a replica', PLANTED, (n) => call(n, `${url}/auth/session`, 200))
  await measure('session check, again', CALLS, (n) => call(n, `${url}/auth/session`, 200))
  await measure('verify', CALLS, (n) => call(n, `${adminUrl}/auth/verify`, 204))
  await measure('proxied call', CALLS, (n) => call(n, `${url}/api/x/1`, 200))
  await measure('list of 1 session', PLANTED, (n) => call(n, `${url}/auth/sessions`, 200))
  const short = callWith(bench, await plantMany(plant, PLANTED, 40)) // Its use is noted every two seconds.
  await sleep(2_100)
  await measure('verify that notes the use', PLANTED, (n) => short(n, `${adminUrl}/auth/verify`, 204))
}

async function endMany({ fleet, measure, plant }: Bench): Promise<void> {
  const { url } = fleet.replicas[0]
  const { issuer } = fleet.simulator
  const iat = Math.floor(Date.now() / 1000)
  const tokens: string[] = []
  for (let n = 0; n < SIGN_INS; n++) {
    const [sub, sid] = [`ended-${n}`, `sid-of-${n}`]
    await plant(sub, { sid })
    const claims = {
      iss: issuer,
      aud: 'bff',
      iat,
      exp: iat + 600,
      jti: randomUUID(),
      events: { [EVENT]: {} },
      sub,
      sid,
    }
    tokens.push(fleet.simulator.signJwt(claims, { typ: 'logout+jwt' }))
  }
  await measure('back-channel logout of 1 session', SIGN_INS, async (n) => {
    const body = new URLSearchParams({ logout_token: tokens[n] ?? '' })
    assert.equal((await fetch(`${url}/auth/backchannel-logout`, { method: 'POST', body })).status, 200)
  })
}

/** What others do is heard by every replica, and mostly concerns none of its sessions. */
async function hearMany(t: TestContext, { fleet, measure, plant, redisUrl }: Bench): Promise<void> {
  const { url } = fleet.replicas[0]
  const headers = { cookie: `${COOKIE}=${await plant('listener')}`, origin: fleet.publicUrl }
  const events = await openEvents(t, `${url}/auth/events`, headers) // From now on the replica listens.
  await events.next()
  const other = createRedisStore(redisUrl)
  t.after(() => other.close())
  const name = (n: number): string => `session:{${String(n).padStart(43, '0')}}`
  const message = (n: number): string => JSON.stringify([name(n), { type: 'refreshed' }])
  await measure('a message heard', TOLD, (n) => other.publish('session-events', message(n)))
  await measure('a changed key heard', TOLD, (n) => other.set(name(n % 1_000), 'x', 60))
}

async function openMany(t: TestContext, { fleet, plant }: Bench): Promise<number> {
  const [first] = fleet.replicas
  const credentials = await plantMany(plant, STREAMS / STREAMS_OF_ONE)
  const isOpen = async (count: number): Promise<boolean> =>
    (await (await fetch(`${first.adminUrl}/metrics`)).text()).includes(`\noten_bff_event_streams ${count}\n`)
  await sleep(1_000)
  const before = first.rssMb()
  for (let opened = 0; opened < STREAMS; opened += credentials.length) {
    const opening = credentials.map((credential) =>
      openEvents(t, `${first.url}/auth/events`, { cookie: `${COOKIE}=${credential}`, origin: fleet.publicUrl }),
    )
    await Promise.all(opening)
  }
  await until(() => isOpen(STREAMS + 1), 30_000) // And the one that has listened all along.
  return Math.round(((first.rssMb() - before) * 2 ** 20) / STREAMS)
}
