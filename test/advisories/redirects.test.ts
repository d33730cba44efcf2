import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PUBLIC_URL, SPA } from '../plugins/build-service.ts'
import { buildProxy } from '../routes/build-proxy.ts'
import { ask, headerOf, parseAnswers, sendRaw } from './raw.ts'
import { echoToken } from './surfaces.ts'

/** The forms that got past other systems, as their advisories show or describe them. */
const TARGETS = [
  '/\\evil.example',
  '/\\/evil.example',
  '\\\\evil.example',
  '/%5cevil.example',
  '/%09/evil.example',
  '/\t/evil.example',
  '/%0a/evil.example',
  '/ /evil.example',
  '//evil.example',
  '//evil.example/%2e%2e',
  '//a//evil.example/%2e%2e%2f%2e%2e',
  '///evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/x/..//evil.example',
  '/%2f/evil.example',
  '/%2fevil.example',
  'https:evil.example',
  'https:/evil.example',
  'https:///evil.example',
  'https:\\\\evil.example',
  'https://evil.example',
  'https://bff.example.com.evil.example/',
  'https://bff.example.comevil.example/',
  'https://evil-bff.example.com/',
  'https://evilapp.example.com/',
  'https://app.example.com.evil.example/',
  'https://app.example.com@evil.example/',
  'https://app.example.com%40evil.example/',
  'https://app.example.com%2eevil.example/',
  'https://app.example.com\\@evil.example/',
  'https://app.example.com:443@evil.example/',
  'https://app.example.com:evil.example/',
  'https://app.example.com:1/',
  'https://app.example.com#@evil.example/'.replace('#', '%23'),
  'https://app.example.com%00.evil.example/',
  'https://app\u3002example\u3002com.evil.example/',
  'https://evil.example/https://app.example.com/',
  'https://evil.example?https://app.example.com/',
  'https://evil.example#https://app.example.com/',
  'https://*.example.com/',
  'http://app.example.com/',
  'ftp://app.example.com/',
  'javascript:alert(1)',
  'javascript://app.example.com/%0aalert(1)',
  'data:text/html,x',
  'evil.example',
  'app.example.com',
  '@evil.example',
  '.evil.example',
  'null',
]

/** Names under which other systems take a return target. */
const NAMES = [
  'rd',
  'redirect',
  'redirect_to',
  'redirect_url',
  'returnTo',
  'return_url',
  'returnUrl',
  'callbackUrl',
  'callbackURL',
  'next',
  'url',
  'target_link_uri',
  'post_logout_redirect_uri',
  'pomerium_redirect_uri',
  'continue',
  'RelayState',
]

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

const build = (t: TestContext) => buildProxy(t, echoToken, { env: { RATE_LIMIT_PER_MINUTE: '0' } })

test('no form of a foreign target that other systems let through starts a sign-in, or ends a session on its way', async (t) => {
  const { port, mine } = await build(t)
  for (const target of TARGETS) {
    const query = new URLSearchParams({ return_to: target })
    for (const headers of [{}, NAVIGATION]) {
      const started = await ask(port, `/auth/start?${query}`, { headers })
      assert.equal(started.status, 400, target)
      assert.equal(headerOf(started, 'location'), undefined)
      assert.equal(headerOf(started, 'set-cookie'), undefined)
      assert.doesNotMatch(started.body, /evil/, 'the answer does not repeat it')
    }
    for (const [type, body] of [
      ['application/json', JSON.stringify({ return_to: target })],
      ['application/x-www-form-urlencoded', query.toString()],
    ] as const) {
      const headers = { ...mine, ...NAVIGATION, 'content-type': type }
      const ended = await ask(port, '/auth/logout', { method: 'POST', headers, body })
      assert.equal(ended.status, 400, target)
      assert.equal(headerOf(ended, 'location'), undefined)
    }
  }
  const { body } = await ask(port, '/auth/session', { headers: mine })
  assert.match(body, /"authenticated":true/)
})

test('a return target under any other name is nobody’s: it changes no redirect of ours', async (t) => {
  const { port, mine } = await build(t)
  const foreign = 'https://evil.example/'
  for (const name of NAMES) {
    const query = new URLSearchParams({ [name]: foreign })
    for (const path of ['/auth/start', '/auth/callback', '/auth/logged-out', '/auth/logout/continue']) {
      const answer = await ask(port, `${path}?${query}`, { headers: { ...NAVIGATION, referer: foreign } })
      assert.doesNotMatch(JSON.stringify(answer), /evil/, `${path} ${name}`)
    }
    const headers = { ...mine, ...NAVIGATION, 'content-type': 'application/x-www-form-urlencoded', referer: foreign }
    const answer = await ask(port, `/auth/logout?${query}`, { method: 'POST', headers, body: query.toString() })
    assert.doesNotMatch(JSON.stringify(answer), /evil/, `logout ${name}`)
  }
})

test('what a sign-in failed with comes back to the known page alone, whatever the IdP’s answer says', async (t) => {
  const { service, port } = await build(t)
  const started = await service.inject({
    url: `/auth/start?response=json&return_to=${encodeURIComponent(`${SPA}/inbox`)}`,
  })
  const [cookie] = started.cookies
  const request = new URL(String(started.json().authorization_url)).searchParams.get('request') ?? ''
  const { state } = JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString())
  const said = {
    error: 'https://evil.example/',
    error_description: '//evil.example',
    error_uri: 'https://evil.example/',
  }
  const answer = new URLSearchParams({
    ...said,
    state,
    iss: 'https://idp.example.net',
    return_to: 'https://evil.example/',
  })
  const back = await ask(port, `/auth/callback?${answer}`, {
    headers: { ...NAVIGATION, cookie: `${cookie?.name}=${cookie?.value}` },
  })
  assert.deepEqual([back.status, headerOf(back, 'location')], [303, `${SPA}/inbox?auth_error=sign_in_failed`])
})

test('a path of ours that looks like a foreign address is no redirect to it', async (t) => {
  const { port } = await build(t)
  for (const target of [
    '//evil.example',
    '//evil.example/%2e%2e',
    '//evil.example/..',
    '//a//evil.example/%2e%2e%2f%2e%2e',
    '/\\evil.example',
    '/auth//evil.example/..',
    '/auth/start//evil.example',
    '/auth/logged-out//evil.example',
    'http://evil.example/auth/logged-out',
    'https://evil.example/auth/start',
    `${PUBLIC_URL}//evil.example`,
  ]) {
    const head = ['Host: evil.example', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Connection: close']
    const [answer] = parseAnswers(await sendRaw(port, [`GET ${target} HTTP/1.1`, ...head, '', ''].join('\r\n')))
    assert.ok(answer)
    assert.doesNotMatch(JSON.stringify(answer), /evil/, target)
    const location = headerOf(answer, 'location')
    assert.ok(
      location === undefined || location === '/' || location.startsWith('https://idp.example.net/'),
      `${target}: ${location}`,
    )
  }
})
