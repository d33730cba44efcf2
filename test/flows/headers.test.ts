import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { APP_QUERY, buildService, type Service, setCookiesOf, storeDown, VERIFIER } from '../plugins/build-service.ts'

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', accept: 'text/html' }
type Answers = { name: string; answer: Awaited<ReturnType<Service['inject']>> }[]

/** Every route and branch that can be reached, as answers. */
async function crawl(t: TestContext, publicUrl: string): Promise<Answers> {
  const env = { PUBLIC_URL: publicUrl, RATE_LIMIT_PER_MINUTE: '20' }
  const service = await buildService(t, { env })
  const { inject, plant, signIn, store, cookieName, config } = service
  const answers: Answers = []
  const call = async (options: InjectOptions & { url: string }) => {
    const answer = await inject(options)
    answers.push({ name: `${options.method ?? 'GET'} ${options.url.slice(0, 60)} → ${answer.statusCode}`, answer })
    return answer
  }
  const signedIn = async () => ({ cookie: `${cookieName}=${await plant()}`, origin: config.publicUrl })
  for (const url of ['/auth/session', '/auth/session?touch=true', '/auth/session?touch=x']) {
    await call({ url })
    await call({ url, headers: await signedIn() })
    await call({ url, headers: { cookie: `${cookieName}=x` } })
    await call({ url, headers: { 'sec-fetch-dest': 'image' } })
  }
  for (const headers of [NAVIGATION, { 'sec-fetch-mode': 'cors' }, { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }]) {
    for (const query of ['', '?return_to=//evil', '?%zz', '?app=android']) {
      await call({ url: `/auth/start${query}`, headers })
    }
    await call({ url: '/auth/callback?state=x', headers })
    await call({ url: '/auth/logged-out?state=x', headers })
    await call({ url: '/auth/logout/continue?ticket=x', headers })
  }
  answers.push({ name: 'callback of a browser', answer: await signIn() })
  const toApp = await signIn({ query: APP_QUERY })
  answers.push({ name: 'callback of an app', answer: toApp })
  const code = new URL(toApp.headers.location ?? '').searchParams.get('code')
  for (let redemption = 0; redemption < 2; redemption++) {
    await call({ method: 'POST', url: '/auth/handoff', payload: { code, code_verifier: VERIFIER } })
  }
  for (const mode of ['cors', 'navigate']) {
    const out = await call({
      method: 'POST',
      url: '/auth/logout',
      headers: { ...(await signedIn()), 'sec-fetch-mode': mode },
    })
    const { logout_url: url = out.headers.location } = mode === 'cors' ? (out.json() as { logout_url?: string }) : {}
    await call({ url: String(url).replace(publicUrl, '') })
  }
  await call({ method: 'POST', url: '/auth/logout', headers: { origin: 'https://evil.example' } })
  await call({ method: 'POST', url: '/auth/handoff', headers: { 'content-type': 'text/plain' }, payload: 'x' })
  await call({
    method: 'POST',
    url: '/auth/handoff',
    headers: { 'content-type': 'application/json' },
    payload: `"${'x'.repeat(70_000)}"`,
  })
  for (const method of ['POST', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'] as const)
    await call({ method, url: '/auth/session' })
  for (const url of ['/auth/nowhere', '/auth/%zz', '/auth/%zz?code=x', `/auth/callback?${'x'.repeat(9000)}`])
    await call({ url })
  store.fault = new Error('broken')
  await call({
    url: '/auth/session',
    headers: await signedIn().catch(() => ({ cookie: `${cookieName}=b_${'A'.repeat(43)}` })),
  })
  await call({ url: '/auth/start', headers: NAVIGATION })
  store.fault = storeDown()
  await call({ url: '/auth/session', headers: { cookie: `${cookieName}=b_${'A'.repeat(43)}` } })
  for (let more = 0; more < 20; more++) await inject({ url: '/auth/start' })
  await call({ url: '/auth/start', headers: NAVIGATION })
  await call({ url: '/auth/start?response=json' })
  const statuses = new Set(answers.map(({ answer }) => answer.statusCode))
  for (const status of [200, 303, 400, 403, 404, 405, 413, 415, 429, 500, 503])
    assert.ok(statuses.has(status), `${status}`)
  return answers
}

for (const publicUrl of ['https://bff.example.com', 'http://localhost:8080']) {
  test(`HC-01, HC-02, HC-03, HC-05: every /auth answer of ${publicUrl}, whatever its status, carries the headers`, async (t) => {
    for (const { name, answer } of await crawl(t, publicUrl)) {
      const { headers } = answer
      assert.equal(headers['cache-control'], 'no-store', name)
      assert.equal(headers['x-content-type-options'], 'nosniff', name)
      assert.equal(headers['referrer-policy'], 'no-referrer', name)
      for (const validator of ['etag', 'last-modified', 'expires']) assert.equal(headers[validator], undefined, name)
      const hsts = headers['strict-transport-security']
      if (publicUrl.startsWith('https:')) {
        assert.match(String(hsts), /; includeSubDomains/, name)
        assert.ok(Number(/max-age=(\d+)/.exec(String(hsts))?.[1]) >= 31_536_000, name)
      } else assert.equal(hsts, undefined, name)
    }
  })
}

test('HC-03, HC-06: the content type says charset and matches the body, and no banner tells what runs here', async (t) => {
  for (const { name, answer } of await crawl(t, 'https://bff.example.com')) {
    const { headers, body } = answer
    for (const banner of ['server', 'x-powered-by', 'via']) assert.equal(headers[banner], undefined, name)
    if (body === '') continue
    const type = String(headers['content-type'])
    if (type === 'application/json; charset=utf-8') {
      assert.doesNotThrow(() => JSON.parse(body), name)
      assert.match(String(headers['cross-origin-resource-policy'] ?? 'same-origin'), /^same-(origin|site)$/, name)
    } else {
      assert.equal(type, 'text/html; charset=utf-8', name)
      assert.match(body, /^<!doctype html>/, name)
    }
  }
})

test('HC-04: every page is closed: nothing loaded, no base, no frame around it, no script but by its hash', async (t) => {
  const pages = (await crawl(t, 'https://bff.example.com')).filter(({ answer }) => answer.body.startsWith('<'))
  assert.ok(pages.length >= 6)
  for (const { name, answer } of pages) {
    const policy = String(answer.headers['content-security-policy'])
    const directives = new Map(
      policy.split(';').map((part): [string, string[]] => {
        const [directive = '', ...values] = part.trim().split(' ')
        return [directive, values]
      }),
    )
    for (const directive of ['default-src', 'base-uri', 'frame-ancestors']) {
      assert.deepEqual(directives.get(directive), ["'none'"], `${name}: ${directive}`)
    }
    assert.doesNotMatch(policy, /unsafe-|\*|https?:|data:/, name)
    for (const [directive, values] of directives) {
      for (const value of values) assert.match(value, /^'(none|sha256-[A-Za-z0-9+/=]+)'$/, `${name}: ${directive}`)
    }
    assert.equal(answer.headers['cross-origin-opener-policy'], 'same-origin', name)
    assert.doesNotMatch(answer.body, /<(img|link|iframe|object|base)\b|\son[a-z]+=|javascript:|src=/i, name)
    for (const [, style = ''] of answer.body.matchAll(/<style>([\s\S]*?)<\/style>/g)) {
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64')
      assert.ok(policy.includes(hash), `${name}: the style is the one that the policy names`)
    }
  }
})

test('HC-07: a redirect after a POST, and every other one, is 303', async (t) => {
  const redirects = (await crawl(t, 'https://bff.example.com')).filter(({ answer }) => answer.headers.location)
  assert.ok(redirects.length >= 5)
  assert.ok(redirects.some(({ name }) => name.startsWith('POST')))
  for (const { name, answer } of redirects) assert.equal(answer.statusCode, 303, name)
})

test("HC-07: nothing of the caller's text becomes a header of its own, whatever is in it", async (t) => {
  const { inject, signIn, cookieName } = await buildService(t)
  const breaks = [
    '%0d%0aset-cookie:canary=1',
    '%0aset-cookie:canary=1',
    '%E5%98%8D%E5%98%8Aset-cookie:canary=1',
    '%00',
    '%e2%80%a8x',
  ]
  for (const text of breaks) {
    for (const url of [
      `/auth/start?return_to=/a${text}&response=redirect`,
      `/auth/start?return_to=/a?b=${text}&response=redirect`,
      `/auth/start?login_hint=${text}`,
      `/auth/start?${APP_QUERY}${text}`,
      `/auth/callback?state=${text}&error=${text}`,
      `/auth/logged-out?state=${text}`,
      `/auth/logout/continue?ticket=${text}`,
      `/auth/${text}`,
    ]) {
      const answer = await inject({ url, headers: NAVIGATION })
      for (const line of setCookiesOf(answer)) assert.doesNotMatch(line, /^canary/, url)
      for (const value of Object.values(answer.headers)) assert.doesNotMatch(String(value), /[\r\n]/, url)
    }
  }
  const answer = await signIn({ query: 'return_to=/p%C3%A4th?q=%E2%98%83' })
  assert.equal(answer.headers.location, '/p%C3%A4th?q=%E2%98%83')
  assert.ok(answer.cookies.some(({ name }) => name === cookieName))
})

test('HC-01: keys and the API document may be cached, for five minutes', async (t) => {
  const { inject } = await buildService(t)
  const jwks = await inject({ url: '/auth/jwks.json' })
  assert.equal(jwks.headers['cache-control'], 'public, max-age=300')
  assert.match(String(jwks.headers['content-type']), /^application\/(jwk-set\+)?json; charset=utf-8$/)
  assert.equal(jwks.headers['x-content-type-options'], 'nosniff')
  assert.match(String(jwks.headers['strict-transport-security']), /max-age=31536000/)
})
