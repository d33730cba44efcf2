import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  countTokenRequests,
  openBrowser,
  reachCallback,
  readRequestObject,
  sendPlain,
  withParameters,
} from '../flows/steps.ts'
import { createWorld, SPA } from '../support/world.ts'

test('CB-09: Host and X-Forwarded headers change neither the redirect URI nor the token request', async (t) => {
  const world = await createWorld(t)
  const spoofed = {
    host: 'evil.example',
    forwarded: 'host=evil.example;proto=https',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-port': '443',
    'x-original-url': 'https://evil.example/',
  }
  const browser = openBrowser(world)
  const started = await browser.navigate('/auth/start', { headers: spoofed })
  const { redirect_uri: redirectUri } = readRequestObject(String(started.location))
  assert.equal(redirectUri, `${world.publicUrl}/auth/callback`)
  const url = await browser.passIdp(String(started.location), 'ada')
  // The IdP compares the redirect URI of the token request with that of the authorization request.
  const answer = await browser.navigate(url, { headers: spoofed })
  assert.equal(answer.headers.get('location'), '/')
  assert.equal((await browser.session()).authenticated, true)
})

test('CB-10: success is a 303 to the target alone, with nothing of the callback in it', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world, {
    query: `return_to=${encodeURIComponent(`${SPA}/inbox?a=b#c`)}`,
  })
  const answer = await browser.navigate(url.href)
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), `${SPA}/inbox?a=b#c`)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(answer.text, '')
})

test('CB-10: an error page loads nothing, runs nothing, cannot be framed and is not kept', async (t) => {
  const world = await createWorld(t)
  const answer = await openBrowser(world).navigate('/auth/callback?code=a&state=b')
  assert.equal(answer.status, 400)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  const policy = String(answer.headers.get('content-security-policy')).split('; ')
  for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) {
    assert.ok(policy.includes(directive), directive)
  }
  assert.doesNotMatch(policy.join(), /unsafe|\*|https?:/)
  assert.doesNotMatch(answer.text, /<script|\bsrc=|url\(|https?:\/\//)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(answer.headers.get('cross-origin-opener-policy'), 'same-origin')
})

test('CB-10: the id on the error page is that of the log line which has the reason', async (t) => {
  const world = await createWorld(t)
  const answer = await openBrowser(world).navigate('/auth/callback?code=canary-code&state=canary-state')
  const id = /<code>([^<]+)<\/code>/.exec(answer.text)?.[1]
  const lines = world.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
  const refusal = lines.find(({ request_id, msg }) => request_id === id && msg === 'request refused')
  assert.match(JSON.stringify(refusal), /no transaction cookie for this state/)
  assert.doesNotMatch(world.logs.join(''), /canary/)
})

test('ER-01: a fetch of a callback that fails gets the JSON shape, not a page', async (t) => {
  const world = await createWorld(t)
  const fetched = await world.browser().fetch('/auth/callback?code=a&state=b')
  const plain = await sendPlain(world, '/auth/callback?code=a&state=b', { headers: { accept: 'application/json' } })
  for (const answer of [fetched, plain]) {
    assert.equal(answer.status, 400)
    assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.deepEqual(Object.keys(answer.json()), ['error', 'error_description', 'error_id'])
    assert.equal(answer.json().error, 'invalid_request')
  }
})

for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']) {
  test(`CB-13: ${method} on the callback is 405 with Allow: GET, and leaves the sign-in whole`, async (t) => {
    const world = await createWorld(t)
    const { browser, url } = await reachCallback(world)
    const body = method === 'POST' ? { body: url.searchParams } : {}
    const answer = await browser.navigate(url.href, { method, ...body })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'GET')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    assert.equal(countTokenRequests(world), 0)
    assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
  })
}

test('CB-13: a state of more than 512 characters is not looked at', async (t) => {
  const world = await createWorld(t)
  const answer = await openBrowser(world).navigate(`/auth/callback?code=a&state=${'s'.repeat(513)}`)
  assert.equal(answer.status, 400)
  assert.deepEqual(answer.setCookies, [])
})

test('CB-13: a code of more than 4096 characters is not sent to the IdP', async (t) => {
  const world = await createWorld(t)
  for (const [length, requests] of [
    [4097, 0],
    [4096, 1],
  ] as const) {
    const { browser, url } = await reachCallback(world)
    const answer = await browser.navigate(withParameters(url, { code: 'c'.repeat(length) }))
    assert.equal(answer.headers.get('location'), '/?auth_error=sign_in_failed')
    assert.equal(countTokenRequests(world), requests)
  }
})

test('CB-13: a callback URL of more than 8 KiB gets the page with 400', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  const { length } = url.pathname + url.search
  const answer = await browser.navigate(`${url.href}&x=${'x'.repeat(8193 - length - 3)}`)
  assert.equal(answer.status, 400)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(countTokenRequests(world), 0)
  const longest = await browser.navigate(`${url.href}&x=${'x'.repeat(8192 - length - 3)}`)
  assert.equal(longest.headers.get('location'), '/')
})

test('ER-07: a callback with a broken percent-encoding is 400', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  for (const broken of ['%', '%zz', '%ff', '%c0%af']) {
    assert.equal((await browser.navigate(`${url.href}&x=${broken}`)).status, 400)
  }
  assert.equal(countTokenRequests(world), 0)
})

for (const [returnTo, expected] of [
  ['/', '/?auth_error=access_denied'],
  ['/inbox?folder=1', '/inbox?folder=1&auth_error=access_denied'],
  ['/inbox#top', '/inbox?auth_error=access_denied#top'],
  ['/inbox?folder=1&x=%26#top?y=1', '/inbox?folder=1&x=%26&auth_error=access_denied#top?y=1'],
  [`${SPA}/app?a=1#/route`, `${SPA}/app?a=1&auth_error=access_denied#/route`],
  [SPA, `${SPA}/?auth_error=access_denied`],
] as const) {
  test(`a failure comes back to ${returnTo} with auth_error in its query`, async (t) => {
    const world = await createWorld(t)
    const query = new URLSearchParams({ return_to: returnTo }).toString()
    const { browser, url } = await reachCallback(world, { query, action: 'deny' })
    const answer = await browser.navigate(url.href)
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), expected)
  })
}

test('SC-13: when the store does not answer the callback is 503 with Retry-After, and no code is redeemed', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  await world.store.close()
  const answer = await browser.navigate(url.href)
  assert.equal(answer.status, 503)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(String(answer.headers.get('retry-after')), /^[1-9]\d*$/)
  assert.match(String(answer.setCookies), /^oten_tx_[\w-]{8}=; Max-Age=0/)
  assert.equal(countTokenRequests(world), 0)
})
