import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { CookieJar } from 'tough-cookie'
import { request } from 'undici'
import { type Answer, Failure } from '../../examples/expo/protocol/answers.ts'
import { createFlow, type Flow, type Platform, type Vault } from '../../examples/expo/protocol/flow.ts'
import type { ServiceRequest } from '../../examples/expo/protocol/requests.ts'
import type { SessionKind } from '../../examples/expo/protocol/sign-in.ts'
import { type Example, type Program, playJourney, playMishaps, type Start } from '../app/journey.ts'

/** A file in the place of the system's key store. */
function createFileVault(path: string): Vault {
  const load = (): Record<string, string> => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})
  return {
    read: async (name) => load()[name],
    write: async (name, value) => writeFileSync(path, JSON.stringify({ ...load(), [name]: value })),
    remove: async (name) => {
      const { [name]: _gone, ...rest } = load()
      writeFileSync(path, JSON.stringify(rest))
    },
  }
}

/** The system's HTTP client: its cookies outlive the app. */
function createSend(jarFile: string): Platform['send'] {
  const options = { allowSpecialUseDomain: true }
  const jar = existsSync(jarFile)
    ? CookieJar.deserializeSync(readFileSync(jarFile, 'utf8'))
    : new CookieJar(undefined, options)
  return async ({ method, url, headers, body }: ServiceRequest): Promise<Answer> => {
    const cookie = await jar.getCookieString(url)
    const sent = { method, headers: { ...headers, ...(cookie !== '' && { cookie }) }, body: body ?? null }
    const answer = await request(url, sent).catch((cause: unknown) => {
      throw new Failure('network', { cause })
    })
    for (const line of [answer.headers['set-cookie'] ?? []].flat()) await jar.setCookie(line, url)
    writeFileSync(jarFile, JSON.stringify(jar.serializeSync()))
    const retryAfter = [answer.headers['retry-after'] ?? []].flat()[0]
    return { status: answer.statusCode, body: await answer.body.text(), retryAfter }
  }
}

function createPlatform(vault: string, openBrowser: Platform['openBrowser']): Platform {
  return {
    vault: createFileVault(vault),
    randomBytes: (count) => randomBytes(count),
    sha256: async (octets) => hash('sha256', octets, 'buffer'),
    send: createSend(`${vault}-cookies`),
    openBrowser,
  }
}

const describe = (view: Awaited<ReturnType<Flow['loadView']>>) => ({ sub: view?.user.sub ?? null })

async function start({ url, app, deepLink, vault }: Start): Promise<Program> {
  let opened = ''
  const openBrowser = async (address: string): Promise<undefined> => {
    opened = address
  }
  const flow = createFlow({ url, app, deepLink }, createPlatform(vault, openBrowser))
  const commands: Readonly<Record<string, (argument: string) => Promise<Record<string, unknown>>>> = {
    begin: async (kind) => {
      assert.equal(await flow.signIn(kind as SessionKind), undefined)
      return { url: opened }
    },
    link: async (link) => {
      const view = await flow.acceptDeepLink(link)
      return view === undefined ? { foreign: true } : describe(view)
    },
    view: async () => describe(await flow.loadView()),
    refresh: async () => describe(await flow.refresh()),
    api: async (path) => ({ answer: await flow.callApi(path) }),
    'sign-out': async () => ({ url: await flow.signOut() }),
  }
  return {
    async obey(command) {
      const [name = '', argument = ''] = command.split(' ')
      try {
        return (await commands[name]?.(argument)) ?? assert.fail(name)
      } catch (error) {
        if (error instanceof Failure) return { failure: error.code }
        throw error
      }
    },
    end: async () => undefined,
  }
}

const EXPO: Example = { start, survivesSignIn: true, keepsCookies: true }

for (const kind of ['cookie', 'token'] as const) {
  test(`Expo: from the start to the sign-out, with a ${kind}, and the app is ended in between`, (t) =>
    playJourney(t, EXPO, kind))

  test(`Expo: what goes wrong signs nobody in and nobody out, with a ${kind}`, (t) => playMishaps(t, EXPO, kind))
}

test('Expo: a link that comes twice at the same time is redeemed once', async () => {
  const requests: ServiceRequest[] = []
  const kept = new Map<string, string>()
  const vault: Vault = {
    read: async (name) => kept.get(name),
    write: async (name, value) => void kept.set(name, value),
    remove: async (name) => void kept.delete(name),
  }
  let opened = ''
  const flow = createFlow(
    { url: 'https://app.example.com', app: 'a', deepLink: 'com.example.app:/signed-in' },
    {
      vault,
      randomBytes: (count) => randomBytes(count),
      sha256: async (octets) => hash('sha256', octets, 'buffer'),
      openBrowser: async (url) => {
        opened = url
        return undefined
      },
      send: async (sent) => {
        requests.push(sent)
        const body = { authenticated: true, user: { sub: 'ada' }, expires_in: 9, session_token: 't' }
        return { status: 200, body: JSON.stringify(body) }
      },
    },
  )
  await flow.signIn('token')
  const state = new URL(opened).searchParams.get('state')
  const link = `com.example.app:/signed-in?code=c&state=${state}`
  const views = await Promise.all([flow.acceptDeepLink(link), flow.acceptDeepLink(link)])
  assert.deepEqual([views[0]?.user.sub, views[1], requests.length], ['ada', undefined, 1])
  assert.ok(kept.get('credential')?.includes('"t"'))
})
