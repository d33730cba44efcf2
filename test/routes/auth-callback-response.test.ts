import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokenRequests, reachCallback, withParameters } from '../flows/steps.ts'
import { createWorld, type World } from '../support/world.ts'

const ERROR = { code: undefined, error: 'access_denied' }

/** The callback is refused, nothing was sent to the IdP, and the true answer comes too late. */
async function assertRefused(world: World, alter: (url: URL) => string, query = ''): Promise<void> {
  const { browser, url, replay } = await reachCallback(world, { query })
  const before = countTokenRequests(world)
  const answer = await browser.navigate(alter(url))
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), '/?auth_error=sign_in_failed')
  assert.equal(countTokenRequests(world), before)
  assert.equal((await replay()).status, 400, 'the transaction is burnt')
  assert.deepEqual(await browser.session(), { authenticated: false })
}

/** What is not the issuer, however much it looks like it. */
const otherIssuers = (issuer: string): Record<string, string | undefined> => ({
  absent: undefined,
  empty: '',
  'another one': 'https://impostor.example',
  'with a character more': `${issuer}1`,
  'with a slash more': `${issuer}/`,
  'with a path': `${issuer}/.`,
  'in upper case': issuer.replace('http', 'HTTP'),
  'of another host name': issuer.replace('127.0.0.1', 'LOCALHOST'),
  'encoded twice': encodeURIComponent(issuer),
})

test('CB-03: an iss that is not exactly the issuer is refused before the token request, for codes and errors', async (t) => {
  const world = await createWorld(t)
  for (const iss of Object.values(otherIssuers(world.simulator.issuer))) {
    await assertRefused(world, (url) => withParameters(url, { iss }))
    await assertRefused(world, (url) => withParameters(url, { ...ERROR, iss }))
  }
})

for (const kind of ['no-iss', 'wrong-iss'] as const) {
  test(`CB-03: an IdP that answers with ${kind}, although it announced it, signs nobody in`, async (t) => {
    const world = await createWorld(t)
    world.simulator.faults.callback = { kind }
    await assertRefused(world, (url) => url.href)
  })
}

test('CB-04: when the IdP does not announce iss, its absence is fine', async (t) => {
  const world = await createWorld(t, { simulator: { authorizationResponseIss: false } })
  const { browser, url } = await reachCallback(world)
  assert.equal(url.searchParams.has('iss'), false)
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
  assert.equal((await browser.session()).authenticated, true)
})

test('CB-04: when the IdP does not announce iss, one that is there must still be the issuer', async (t) => {
  const world = await createWorld(t, { simulator: { authorizationResponseIss: false } })
  const { issuer } = world.simulator
  for (const iss of Object.values(otherIssuers(issuer))) {
    if (!iss) continue // RFC 6749 §3.1: without a value it counts as omitted.
    await assertRefused(world, (url) => withParameters(url, { iss }))
    await assertRefused(world, (url) => withParameters(url, { ...ERROR, iss }))
  }
  const { browser, url } = await reachCallback(world)
  assert.equal((await browser.navigate(withParameters(url, { iss: issuer }))).headers.get('location'), '/')
})

for (const name of ['code', 'iss']) {
  test(`CB-05: ${name} given twice is refused, also with one value`, async (t) => {
    const world = await createWorld(t)
    await assertRefused(world, (url) => `${url.href}&${name}=another`)
    await assertRefused(world, (url) => `${url.href}&${name}=${encodeURIComponent(url.searchParams.get(name) ?? '')}`)
  })
}

for (const name of ['error', 'error_description', 'error_uri']) {
  test(`CB-05: ${name} given twice is refused`, async (t) => {
    const world = await createWorld(t)
    await assertRefused(world, (url) => `${withParameters(url, ERROR)}&${name}=login_required&${name}=login_required`)
  })
}

test('CB-05: state given twice gets 400, and the sign-in is burnt', async (t) => {
  const world = await createWorld(t)
  for (const more of [(state: string) => state, () => 'another']) {
    const { browser, url, replay } = await reachCallback(world)
    const answer = await browser.navigate(`${url.href}&state=${more(url.searchParams.get('state') ?? '')}`)
    assert.equal(answer.status, 400)
    assert.equal((await replay()).status, 400)
  }
  assert.equal(countTokenRequests(world), 0)
})

test('CB-05: code together with error is refused, whatever their order', async (t) => {
  const world = await createWorld(t)
  await assertRefused(world, (url) => `${url.href}&error=access_denied`)
  await assertRefused(world, (url) => url.href.replace('?', '?error=access_denied&'))
  await assertRefused(world, (url) => `${url.href}&error=`)
})

test('CB-05: a callback with neither code nor error is refused, and one with an empty code', async (t) => {
  const world = await createWorld(t)
  await assertRefused(world, (url) => withParameters(url, { code: undefined }))
  await assertRefused(world, (url) => withParameters(url, { code: '' }))
})

test('CB-05: parameters that we do not know are ignored, also repeated ones', async (t) => {
  const world = await createWorld(t)
  world.simulator.faults.callback = { kind: 'extra-parameters' }
  const { browser, url } = await reachCallback(world)
  assert.equal(url.searchParams.get('session_state'), 'x')
  const answer = await browser.navigate(`${url.href}&foo=1&foo=2&__proto__=x&constructor=y`)
  assert.equal(answer.headers.get('location'), '/')
  assert.equal((await browser.session()).authenticated, true)
})

for (const [said, told] of [
  ['access_denied', 'access_denied'],
  ['login_required', 'login_required'],
  ['interaction_required', 'interaction_required'],
  ['consent_required', 'consent_required'],
  ['account_selection_required', 'account_selection_required'],
  ['server_error', 'idp_unavailable'],
  ['temporarily_unavailable', 'idp_unavailable'],
  ['invalid_request_object', 'sign_in_failed'],
  ['unauthorized_client', 'sign_in_failed'],
  ['ACCESS_DENIED', 'sign_in_failed'],
  ['"><script>alert(1)</script>', 'sign_in_failed'],
] as const) {
  test(`CB-06, CB-07: the IdP's error ${said} comes to the page as ${told}, once`, async (t) => {
    const world = await createWorld(t)
    const { browser, url, replay } = await reachCallback(world)
    const answer = await browser.navigate(withParameters(url, { code: undefined, error: said }))
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), `/?auth_error=${told}`)
    assert.equal(answer.text, '')
    assert.equal(countTokenRequests(world), 0)
    assert.equal((await replay()).status, 400, 'the transaction is burnt')
    assert.ok(!world.logs.join('').includes('<script>'))
  })
}

test('CB-06: an error of a transaction that this browser does not hold burns nothing', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  const stranger = await world.browser().navigate(withParameters(url, ERROR))
  assert.equal(stranger.status, 400)
  assert.equal(stranger.location, null)
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
})

test('CB-06: an error without state gives a neutral page and touches no transaction', async (t) => {
  const world = await createWorld(t)
  const { browser, url } = await reachCallback(world)
  const answer = await browser.navigate(
    withParameters(url, { ...ERROR, state: undefined, error_description: 'x<script>alert(1)</script>' }),
  )
  assert.equal(answer.status, 400)
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.doesNotMatch(answer.text, /script|access_denied/)
  assert.deepEqual(answer.setCookies, [])
  assert.equal((await browser.navigate(url.href)).headers.get('location'), '/')
})

test('CB-06: what the IdP writes in error_description and error_uri reaches no page, no redirect and no log', async (t) => {
  const world = await createWorld(t)
  const text = { error_description: '<script>canary</script>\r\nset-cookie: canary=1', error_uri: 'javascript:canary' }
  const { browser, url } = await reachCallback(world)
  const redirect = await browser.navigate(withParameters(url, { ...ERROR, ...text }))
  assert.equal(redirect.headers.get('location'), '/?auth_error=access_denied')
  const page = await browser.navigate(withParameters(url, { ...ERROR, ...text }))
  assert.equal(page.status, 400)
  for (const answer of [redirect, page]) {
    assert.doesNotMatch(`${JSON.stringify([...answer.headers])}${answer.text}`, /canary/)
  }
  assert.doesNotMatch(world.logs.join(''), /canary/)
})

for (const name of ['access_token', 'id_token', 'refresh_token', 'token_type', 'response']) {
  test(`CB-08: a callback that brings ${name} is refused, and it is not logged`, async (t) => {
    const world = await createWorld(t)
    await assertRefused(world, (url) => withParameters(url, { [name]: 'canary.canary.canary' }))
    assert.doesNotMatch(world.logs.join(''), /canary/)
  })
}
