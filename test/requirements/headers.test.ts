import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { CookieJar } from 'tough-cookie'
import type { Idp } from '../../src/idp/idp.ts'
import {
  APP_QUERY,
  buildService,
  ISSUER,
  PUBLIC_URL,
  type Service,
  setCookiesOf,
  VERIFIER,
} from '../plugins/build-service.ts'

/** One answer of each route that says JSON to somebody who is signed in, and of two that refuse, by its name. */
async function collectJson({ inject, plant, signIn, cookieName }: Service) {
  const answers = new Map<string, LightMyRequestResponse>()
  const call = async (status: number, options: InjectOptions & { readonly url: string }): Promise<void> => {
    const mine = { cookie: `${cookieName}=${await plant()}`, origin: PUBLIC_URL, 'sec-fetch-mode': 'cors' }
    const name = `${options.method ?? 'GET'} ${options.url}`
    const answer = await inject({ headers: mine, ...options })
    assert.equal(answer.statusCode, status, name)
    answers.set(name, answer)
  }
  await call(200, { url: '/auth/session' })
  await call(400, { url: '/auth/callback?code=x' })
  await call(404, { url: '/auth/nowhere' })
  await call(200, { url: '/auth/start' })
  await call(200, { url: '/auth/sessions' })
  await call(200, { method: 'DELETE', url: '/auth/sessions' })
  await call(200, { method: 'POST', url: '/auth/refresh' })
  await call(200, { method: 'POST', url: '/auth/logout' })
  const code = new URL(String((await signIn({ query: APP_QUERY })).headers.location)).searchParams.get('code')
  const payload = { code, code_verifier: VERIFIER }
  await call(200, { method: 'POST', url: '/auth/handoff', headers: {}, payload })
  return answers
}

/** An IdP that gives new tokens. */
const refresh: Idp['refresh'] = async ({ refreshToken, idToken, scope }) => {
  const life = { accessToken: 'next', accessTokenExpiresAt: 2e9, idTokenClaims: { iss: ISSUER, sub: 'ada' } }
  return { kind: 'refreshed', tokens: { ...life, refreshToken, idToken, scope } }
}

test('HC-06: every JSON answer of /auth is embedded by no other origin', async (t) => {
  const answers = await collectJson(await buildService(t, { idp: { refresh } }))
  for (const [name, { headers, statusCode }] of answers) {
    assert.equal(headers['content-type'], 'application/json; charset=utf-8', `${name}: ${statusCode}`)
    assert.match(String(headers['cross-origin-resource-policy']), /^same-(origin|site)$/, `${name}: ${statusCode}`)
  }
})

test('HC-02: over plain http a browser sends none of our cookies, and an API call is refused rather than redirected', async (t) => {
  const env = { API_ROUTES: '/api/x=https://orders.internal', TRUSTED_PROXIES: '10.0.0.0/8' }
  const { inject, signIn } = await buildService(t, { env })
  const jar = new CookieJar()
  const lines = [...setCookiesOf(await inject({ url: '/auth/start' })), ...setCookiesOf(await signIn())]
  for (const line of lines) await jar.setCookie(line, PUBLIC_URL)
  assert.ok((await jar.getCookies(PUBLIC_URL)).length >= 2)
  const cookie = await jar.getCookieString(PUBLIC_URL.replace('https:', 'http:'))
  assert.equal(cookie, '')
  for (const url of ['/api/x/1', '/auth/sessions']) {
    const headers = { cookie, 'x-forwarded-proto': 'http', origin: PUBLIC_URL }
    const answer = await inject({ url, headers, remoteAddress: '10.0.0.1' })
    assert.equal(answer.statusCode, 401, url)
    assert.equal(answer.headers.location, undefined)
  }
})
