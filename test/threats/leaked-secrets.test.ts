import assert from 'node:assert/strict'
import { createPrivateKey, hash, randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { sessionKey } from '../../src/session/session-keys.ts'
import { openMeta, openSession } from '../../src/session/stored-session.ts'
import { countTokenRequests, reachCallback } from '../flows/steps.ts'
import { buildService, CANARIES } from '../plugins/build-service.ts'
import { CLIENT_SECRET, createKey } from '../support/env.ts'
import { createWorld } from '../support/world.ts'

test('a thief of the JAR key can ask the IdP in our name, and nobody takes the answer: no transaction is open for it', async (t) => {
  const { privateJwk } = createKey()
  const kid = 'stolen'
  const world = await createWorld(t, { env: { JAR_KEYS: JSON.stringify({ ...JSON.parse(privateJwk), kid }) } })
  const key = createPrivateKey({ key: JSON.parse(privateJwk), format: 'jwk' })
  const now = Math.floor(Date.now() / 1000)
  const verifier = randomBytes(32).toString('base64url')
  const request = await new SignJWT({
    iss: 'bff',
    client_id: 'bff',
    aud: world.simulator.issuer,
    iat: now,
    exp: now + 120,
    jti: randomUUID(),
    response_type: 'code',
    redirect_uri: `${world.publicUrl}/auth/callback`,
    scope: 'openid',
    state: randomUUID(),
    nonce: randomUUID(),
    code_challenge: hash('sha256', verifier, 'base64url'),
    code_challenge_method: 'S256',
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'oauth-authz-req+jwt', kid })
    .sign(key)
  const metadata = (await (await fetch(`${world.simulator.issuer}/.well-known/openid-configuration`)).json()) as {
    authorization_endpoint: string
  }
  const victim = world.browser()
  await victim.fetch('/auth/start') // One of the victim's own is under way, too.
  const query = new URLSearchParams({ client_id: 'bff', request })
  const callback = await victim.passIdp(`${metadata.authorization_endpoint}?${query}`, 'eve')
  assert.ok(new URL(callback).searchParams.has('code'), 'the IdP believes the key')
  assert.equal((await victim.navigate(callback)).status, 400)
  assert.equal((await victim.session()).authenticated, false)
  assert.equal(countTokenRequests(world), 0)
})

test('a thief of the client secret and of a code gets no tokens: the IdP asks for the verifier, which never left the server', async (t) => {
  const world = await createWorld(t)
  const metadata = (await (await fetch(`${world.simulator.issuer}/.well-known/openid-configuration`)).json()) as {
    token_endpoint: string
  }
  const credentials = new URLSearchParams([['', CLIENT_SECRET]]).toString().slice(1)
  const redeem = async (code: string, more: Record<string, string>): Promise<unknown> => {
    const response = await fetch(metadata.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`bff:${credentials}`)}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: `${world.publicUrl}/auth/callback`,
        ...more,
      }),
    })
    return ((await response.json()) as { error?: string }).error
  }
  for (const guess of [undefined, 'state', 'code', 'a']) {
    const { searchParams } = (await reachCallback(world)).url // Of its own for each guess: a wrong one may burn it.
    const verifier = (searchParams.get(guess ?? '') ?? 'a').padEnd(43, 'a')
    const code = searchParams.get('code') ?? assert.fail('the IdP gave no code')
    assert.equal(await redeem(code, guess === undefined ? {} : { code_verifier: verifier }), 'invalid_grant', guess)
  }
})

test('who has SESSION_KEYS and the whole store reads the lists of devices: user, kind, times; no token, claim or credential', async (t) => {
  const { store, seal, plant } = await buildService(t)
  const credential = await plant({ userAgent: 'a browser' })
  const key = sessionKey(credential)
  const dump = await store.dump()
  const stored = dump.get(key) ?? ''
  const listed = openMeta(seal, key, stored) ?? assert.fail('the list cannot be read')
  const { sub, userAgent, kind, ...rest } = listed
  assert.deepEqual([sub, userAgent, kind], ['ada', 'a browser', 'browser-cookie'])
  assert.deepEqual(Object.keys(rest).sort(), ['createdAt', 'expiresAt', 'id', 'idleS', 'issuer', 'sid'])
  for (const secret of [...Object.values(CANARIES), credential, credential.slice(2), 'Ada']) {
    assert.ok(!JSON.stringify(listed).includes(secret))
  }
  for (const guess of ['', key]) assert.equal(openSession(seal, { key, credential: guess }, stored), undefined)
})

test('who has ADMIN_TOKEN can end sessions at the inner listener, and read nothing: no name, no token, no session', async (t) => {
  const ADMIN_TOKEN = 'a-token-of-the-operator'
  const { admin, app, plant, sessions } = await buildService(t, { env: { ADMIN_TOKEN } })
  const credential = await plant({ sub: 'ada-lovelace', sid: 'idp-session-of-ada' })
  const record = (await sessions.find(credential))?.record
  const authorization = `Bearer ${ADMIN_TOKEN}`
  const calls = [
    ...[
      '/health/live',
      '/health/ready',
      '/metrics',
      '/auth/verify',
      '/admin',
      '/admin/sessions',
      '/admin/sessions/end',
    ].map((url) => ({ url })),
    ...[{ sub: 'ada-lovelace' }, { sid: 'idp-session-of-ada' }, { all: true }, { sub: 'x' }, {}].map(
      (payload) => ({ method: 'POST', url: '/admin/sessions/end', payload }) as const,
    ),
  ]
  for (const call of calls) {
    const { body, headers, statusCode } = await admin.inject({ ...call, headers: { authorization } })
    for (const secret of [...Object.values(CANARIES), credential, record?.id ?? '', 'lovelace', 'idp-session', 'Ada']) {
      assert.ok(secret.length > 2 && !(body + JSON.stringify(headers)).includes(secret), `${call.url} shows ${secret}`)
    }
    if (call.url === '/auth/verify') assert.equal(statusCode, 401)
    if (statusCode === 200 && 'payload' in call) assert.match(body, /^\{"ended":\d\}$/)
    assert.notEqual((await app.inject({ ...call, headers: { authorization } })).statusCode, 200, 'not on the main one')
  }
})

test('a stolen session credential is good elsewhere until its user ends it from another device; then nowhere', async (t) => {
  const { inject, plant, cookieName, config, sessions } = await buildService(t)
  const [stolen, own] = [await plant(), await plant({ kind: 'app-token', app: 'android' })]
  const asThief = { cookie: `${cookieName}=${stolen}`, 'user-agent': 'another', origin: config.publicUrl }
  const ask = async (): Promise<unknown> => (await inject({ url: '/auth/session', headers: asThief })).json()
  assert.equal(((await ask()) as { authenticated: boolean }).authenticated, true)
  const id = (await sessions.find(stolen))?.record.id
  const ended = await inject({
    method: 'DELETE',
    url: `/auth/sessions/${id}`,
    headers: { authorization: `Bearer ${own}` },
  })
  assert.equal(ended.statusCode, 204)
  assert.deepEqual(await ask(), { authenticated: false })
})
