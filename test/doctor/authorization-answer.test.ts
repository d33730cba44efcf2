import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuthorizationAnswer, readAnswer } from '../../src/doctor/authorization-answer.ts'
import type { Page } from '../../src/doctor/page.ts'
import { quote } from '../../src/doctor/quote.ts'
import { signRequestObject } from '../../src/idp/request-object.ts'
import { createSigningKey } from '../idp/build-idp.ts'

const REDIRECT_URI = 'https://app.example.com/auth/callback'
const OTEN = 'https://account.oten.com'

const html = (text: string, status = 200): Page => ({ status, location: undefined, contentType: 'text/html', text })
const json = (body: unknown, status = 200): Page => {
  return { status, location: undefined, contentType: 'application/json; charset=utf-8', text: JSON.stringify(body) }
}
const redirect = (url: string, status = 302): Page => ({ ...html('', status), location: new URL(url) })

const CASES: readonly (readonly [name: string, page: Page, kind: AuthorizationAnswer['kind'], error?: string])[] = [
  ['a redirect to a sign-in page', redirect(`${OTEN}/login?challenge=x`), 'accepted'],
  ['a redirect to another host for the sign-in', redirect('https://id.oten.com/u/login', 303), 'accepted'],
  ['a redirect back that would have to ask the user', redirect(`${REDIRECT_URI}?error=login_required`), 'accepted'],
  ['a sign-in form', html('<h1>Sign in</h1><form method="post"><input name="login"></form>'), 'accepted'],
  ['a form whose script knows all codes', html('<form></form><script>E={invalid_request:1}</script>'), 'accepted'],
  ['a sign-in that only script draws', html('<div id="root"></div><script src="/app.js"></script>'), 'unclear'],
  ['a JSON body that is no error', json({ next: '/login' }), 'unclear'],
  ['an error back at the service', redirect(`${REDIRECT_URI}?error=invalid_scope`), 'refused', 'invalid_scope'],
  ['an error in a fragment', redirect(`${REDIRECT_URI}#error=server_error`), 'refused', 'server_error'],
  ['an error page by redirect', redirect(`${OTEN}/error?error=invalid_client`), 'refused', 'invalid_client'],
  ['an error page by redirect, without a code', redirect(`${OTEN}/oauth/error`), 'refused'],
  ['a redirect to a status', redirect(`${OTEN}/500`), 'refused'],
  ['a code that nobody knows', redirect(`${REDIRECT_URI}?error=oten_special`), 'refused'],
  ['a redirect to nowhere', { ...html('', 302) }, 'refused'],
  ['an error page', html('<p>invalid_request_object</p>', 400), 'refused', 'invalid_request_object'],
  ['an error page with status 200', html('<form><p>invalid_request</p></form>'), 'refused', 'invalid_request'],
  ['an error page without a code', html('<form><p>Something went wrong</p></form>', 400), 'refused'],
  ['a failure', html('<h1>Internal Server Error</h1>', 500), 'refused'],
  ['an error as JSON', json({ error: 'invalid_request_object' }, 400), 'refused', 'invalid_request_object'],
  ['an error as JSON with status 200', json({ error: 'request_not_supported' }), 'refused', 'request_not_supported'],
]

for (const [name, page, kind, error] of CASES) {
  test(`the authorization endpoint answers with ${name}: ${kind}${error === undefined ? '' : `, ${error}`}`, () => {
    const answer = readAnswer(page, REDIRECT_URI)
    assert.equal(answer.kind, kind)
    assert.equal(answer.kind === 'refused' ? answer.error : undefined, error)
  })
}

test('the longer code wins where one begins like the other', () => {
  const answer = readAnswer(html('<p>invalid_request</p><p>invalid_request_object</p>', 400), REDIRECT_URI)
  assert.equal(answer.kind === 'refused' && answer.error, 'invalid_request_object')
})

test('the words of a page are those that a reader sees', () => {
  const page = html('<title>T</title><style>p{}</style><!-- c --><p>it&#39;s <b>wrong</b></p><script>s()</script>', 400)
  const answer = readAnswer(page, REDIRECT_URI)
  assert.equal(answer.kind === 'refused' && answer.said, "it's wrong")
})

test('where a sign-in page is tells nothing of this very sign-in', () => {
  const answer = readAnswer(redirect(`${OTEN}/sign-in/abcdefghijklmnopqrstuvwxyz012345?key=canary`), REDIRECT_URI)
  assert.equal(answer.how, `a redirect to ${OTEN}/sign-in/…`)
})

test('a quotation holds nothing of a request object that the page repeats, and none of its control characters', () => {
  const { jwt } = signRequestObject({
    clientId: 'client-1',
    audience: OTEN,
    parameters: { redirectUri: REDIRECT_URI, scope: 'openid', state: 's'.repeat(43), nonce: 'n', codeChallenge: 'c' },
    settings: { alg: 'EdDSA', ttlS: 120, backdateS: 5, typ: 'JWT', audience: undefined },
    secrets: { clientSecret: undefined, jarKeys: [createSigningKey('k')] },
    now: 1_700_000_000,
    jti: 'j',
  })
  const quotation = quote(`not valid:\n ${jwt}\u001b[2J`)
  assert.equal(quotation, ', saying "not valid: […] [2J"')
  assert.equal(quote(`state ${'s'.repeat(43)} and ${jwt.slice(0, 60)}`), ', saying "state […] and […]"')
  assert.equal(quote(''), '')
  assert.ok(quote('word '.repeat(1000)).length < 230)
  // What an operator has to read stays readable.
  assert.match(quote('invalid_request_object: unsupported_response_type'), /"invalid_request_object: unsupported_r/)
})
