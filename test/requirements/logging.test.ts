import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPhone } from '../flows/phone.ts'
import { openBrowser, reachCallback, sendPlain, withParameters } from '../flows/steps.ts'
import { build } from '../routes/build-backchannel-logout.ts'
import type { World } from '../support/world.ts'

type Entry = Record<string, unknown>

/** A security event: what happens, and the line that must tell of it. */
interface Case {
  readonly what: string
  act(): Promise<unknown>
  readonly entry: Entry
}

const EVIL = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }

/** A sign-in that fails in the way that the IdP, or whoever stands between, makes it fail. */
const failSignIn = async (world: World, parameters: Record<string, string> = {}): Promise<unknown> => {
  const { browser, url } = await reachCallback(world)
  return browser.navigate(withParameters(url, parameters))
}

function listFailures(world: World): Case[] {
  const { faults } = world.simulator
  const refused = { event: 'refused', code: 'unknown_transaction' }
  const failed = { event: 'sign_in_failed', code: 'sign_in_failed' }
  return [
    {
      what: 'a state of another browser',
      act: async () => openBrowser(world).navigate((await reachCallback(world)).url.href),
      entry: {
        ...refused,
        reason: 'no transaction cookie for this state: begun at another host name, in another browser, or too long ago',
      },
    },
    {
      what: 'a replayed callback',
      act: async () => {
        const { browser, url, replay } = await reachCallback(world)
        await browser.navigate(url.href)
        return replay()
      },
      entry: { ...refused, reason: 'unknown, expired, used or foreign' },
    },
    {
      what: 'a wrong iss',
      act: () => failSignIn(world, { iss: 'https://evil.example' }),
      entry: { ...failed, reason: 'response_invalid' },
    },
    {
      what: 'a wrong nonce',
      act: async () => {
        faults.alterIdToken = (claims) => ({ claims: { ...claims, nonce: 'other' } })
        await failSignIn(world).finally(() => faults.clear())
      },
      entry: { ...failed, reason: 'nonce_mismatch' },
    },
    {
      what: 'a forged signature',
      act: async () => {
        faults.alterIdToken = (claims) => ({ claims, sign: 'flip' })
        await failSignIn(world).finally(() => faults.clear())
      },
      entry: { ...failed, reason: 'signature' },
    },
  ]
}

function listRefusals(world: World, send: (token: string) => Promise<unknown>): Case[] {
  const phone = createPhone(world)
  const redeem = async (verifier?: string): Promise<unknown> =>
    phone.redeem((await phone.signIn('ada')).code, verifier === undefined ? {} : { code_verifier: verifier })
  return [
    {
      what: 'a handoff with a wrong verifier',
      act: () => redeem('w'.repeat(43)),
      entry: { event: 'refused', code: 'invalid_grant', reason: 'handoff: wrong_verifier' },
    },
    {
      what: 'a request of a foreign page',
      act: () => sendPlain(world, '/auth/logout', { method: 'POST', headers: EVIL }),
      entry: { event: 'refused', code: 'forbidden_origin' },
    },
    {
      what: 'a reading that CORS refuses',
      act: () => sendPlain(world, '/auth/session', { headers: { origin: 'https://forgotten.example' } }),
      entry: { event: 'origin_not_allowed', origin: 'https://forgotten.example' },
    },
    {
      what: 'a refused logout token',
      act: () => send('nonsense'),
      entry: { event: 'backchannel_logout_refused', reason: 'segments' },
    },
  ]
}

test('LG-03: each security event leaves a line with its reason, under the id of its request', async (t) => {
  const { world, sign, send } = await build(t)
  const { faults } = world.simulator
  const browser = openBrowser(world)
  const refresh = () => browser.fetch('/auth/refresh', { method: 'POST' })
  const cases: Case[] = [
    ...listFailures(world),
    ...listRefusals(world, send),
    { what: 'a sign-in', act: () => browser.signIn('ada'), entry: { event: 'signed_in' } },
    { what: 'a refresh', act: refresh, entry: { event: 'refreshed' } },
    {
      what: 'a refresh that the IdP cannot answer',
      act: async () => {
        faults.token = { kind: 'status', status: 503, retryAfter: 1 }
        await refresh().finally(() => faults.clear())
      },
      entry: { event: 'refresh_failed', reason: 'token endpoint answered 503' },
    },
    {
      what: 'a refresh that the IdP refuses',
      act: async () => {
        world.advance(2)
        faults.token = { kind: 'invalid_grant' }
        await refresh().finally(() => faults.clear())
      },
      entry: { event: 'session_ended', reason: 'invalid_grant' },
    },
    {
      what: 'a sign-out',
      act: async () => {
        await browser.signIn('ada')
        await browser.fetch('/auth/logout', { method: 'POST' })
      },
      entry: { event: 'signed_out' },
    },
    { what: 'a logout token', act: () => send(sign({ sub: 'ada' })), entry: { event: 'backchannel_logout' } },
  ]
  for (const { what, act, entry } of cases) {
    const before = world.logs.length
    await act()
    const lines = world.logs.slice(before).map((line) => JSON.parse(line) as Entry)
    const told = lines.find((line) => Object.entries(entry).every(([name, value]) => line[name] === value))
    assert.ok(told, `${what}: ${JSON.stringify(lines.filter(({ event }) => event !== undefined))}`)
    assert.match(String(told.request_id), /^[a-z0-9-]+$/, what)
    assert.match(String(told.time), /Z$/, what)
  }
})
