import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { APP_QUERY, CANARIES, ISSUER, PUBLIC_URL, readRequestObject } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask } from './raw.ts'
import { echoToken, openSurfaces, SURFACES } from './surfaces.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Texts that some reader takes for the same credential: cut, padded, in other letters, encoded, quoted, said twice. */
function spoil(credential: string): string[] {
  const [prefix, secret] = [credential.slice(0, 2), credential.slice(2)]
  const last = ALPHABET.indexOf(credential.slice(-1))
  // The last of 43 characters has two loose bits: each of these decodes to the very same 32 octets.
  const loose = [1, 2, 3].map((bits) => credential.slice(0, -1) + ALPHABET.charAt(last ^ bits))
  return [
    ...loose,
    ...[1, 2, 11, 22, 42].map((length) => credential.slice(0, -length)),
    credential.slice(1),
    secret,
    prefix,
    `${credential}A`,
    `${credential}=`,
    `${credential}.`,
    `${credential}%00`,
    `${credential}${credential}`,
    `${credential},${credential}`,
    `"${credential}"`,
    `'${credential}'`,
    `${prefix}${secret.toLowerCase()}`,
    `${prefix}${secret.toUpperCase()}`,
    `${prefix.toUpperCase()}${secret}`,
    credential.replace('_', '%5F'),
    `${prefix}${secret.replaceAll('-', '+').replaceAll('_', '/')}+`,
    `${prefix}${Buffer.from(secret, 'base64url').toString('hex')}`,
    `s:${credential}.${hash('sha256', credential, 'base64')}`,
  ].filter((spoilt) => spoilt !== credential)
}

test('nothing that is almost a session cookie opens anything: cut, padded, in other letters or with other loose bits', async (t) => {
  const proxy = await buildProxy(t, echoToken)
  const surfaces = await openSurfaces(proxy)
  const { service, credential } = proxy
  for (const value of spoil(credential)) {
    assert.deepEqual(await surfaces.openTo({ cookie: `${service.cookieName}=${value}` }), [], value)
  }
  assert.deepEqual(await surfaces.openTo({ cookie: `${service.cookieName}=${credential}` }), SURFACES)
})

test('nothing that is almost a session token opens anything', async (t) => {
  const proxy = await buildProxy(t, echoToken)
  const surfaces = await openSurfaces(proxy)
  const token = await proxy.service.plant({ kind: 'app-token' })
  for (const value of [...spoil(token), `${token} ${token}`, `${token}, Bearer ${token}`]) {
    assert.deepEqual(await surfaces.openTo({ authorization: `Bearer ${value}` }), [], value)
  }
  for (const scheme of ['Basic', 'Token', 'BearerX', 'Bearer,', '']) {
    assert.deepEqual(await surfaces.openTo({ authorization: `${scheme} ${token}` }), [], scheme)
  }
  assert.deepEqual(await surfaces.openTo({ authorization: `Bearer ${token}` }), SURFACES)
})

test('no other secret of ours stands for a session: nothing of a sign-in in flight, a handoff, a sign-out or an IdP', async (t) => {
  const proxy = await buildProxy(t, echoToken)
  const { service, port, credential, mine } = proxy
  const surfaces = await openSurfaces(proxy)
  const started = await service.inject({ url: '/auth/start?response=json' })
  const requestObject = readRequestObject(String(started.json().authorization_url))
  const handedOver = await service.signIn({ query: APP_QUERY })
  const deepLink = new URL(String(handedOver.headers.location))
  const { body } = await ask(port, '/auth/session', { headers: { cookie: mine.cookie } })
  const others = {
    'transaction cookie': started.cookies[0]?.value,
    'its suffix': started.cookies[0]?.name.slice(-8),
    state: requestObject.state,
    nonce: requestObject.nonce,
    'request object': new URL(String(started.json().authorization_url)).searchParams.get('request'),
    'handoff code': deepLink.searchParams.get('code'),
    'session id': JSON.parse(body).session_id,
    'hash of the credential': hash('sha256', credential, 'base64url'),
    ...CANARIES,
    issuer: ISSUER,
  }
  for (const [what, value] of Object.entries(others)) {
    assert.ok(value, what)
    for (const presented of [String(value), `b_${value}`, `t_${value}`, `b_${value}`.slice(0, 45)]) {
      assert.deepEqual(await surfaces.openTo({ cookie: `${service.cookieName}=${presented}` }), [], what)
      assert.deepEqual(await surfaces.openTo({ authorization: `Bearer ${presented}` }), [], what)
    }
  }
  const { body: signedOut } = await ask(port, '/auth/logout', {
    method: 'POST',
    headers: { ...mine, accept: 'application/json', origin: PUBLIC_URL },
  })
  const ticket = new URL(String(JSON.parse(signedOut).logout_url)).searchParams.get('ticket')
  assert.ok(ticket)
  assert.deepEqual(await surfaces.openTo({ cookie: `${service.cookieName}=${ticket}` }), [])
  assert.deepEqual(await surfaces.openTo({ authorization: `Bearer ${ticket}` }), [])
})
