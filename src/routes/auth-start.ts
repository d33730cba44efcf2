import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Config } from '../config.ts'
import { BffError } from '../errors.ts'
import { parseReturnTo } from '../login/return-to.ts'
import { beginSignIn, type SignInDeps, type SignInHints } from '../login/sign-in.ts'
import type { SignInTarget } from '../login/transaction.ts'
import type { Metrics } from '../metrics.ts'
import type { Cookies } from '../plugins/cookies.ts'
import { isNavigation } from '../plugins/navigation.ts'
import { readPresented } from '../plugins/presented.ts'
import { sessionKey } from '../session/session-keys.ts'
import { pageErrorResponses } from './error-body.ts'

/** Ours to decide: a caller who could set one could aim the sign-in elsewhere or weaken it (RFC 9101 §10.7). */
const FORBIDDEN = [
  'redirect_uri',
  'client_id',
  'scope',
  'nonce',
  'response_type',
  'response_mode',
  'claims',
  'request',
  'request_uri',
] as const

/** Only with `app`: without it they are protocol parameters of ours. */
const FOR_APPS = ['code_challenge', 'code_challenge_method', 'state'] as const

const PLAIN_TEXT = '^[^\\u0000-\\u001f\\u007f]+$'

const StartQuery = Type.Object(
  {
    return_to: Type.Optional(
      Type.String({ description: 'Path on PUBLIC_URL, or URL on an allowed origin. Default `/`' }),
    ),
    response: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Literal('redirect')], { description: 'Form of the answer' }),
    ),
    prompt: Type.Optional(
      Type.String({
        pattern: '^(none|(login|consent|select_account)( (login|consent|select_account)){0,2})$',
        description: 'As OIDC Core §3.1.2.1; `none` stands alone',
      }),
    ),
    max_age: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,9}$', description: 'Seconds since the user last signed in' }),
    ),
    login_hint: Type.Optional(
      Type.String({ pattern: PLAIN_TEXT, maxLength: 320, description: 'Whom the IdP should ask' }),
    ),
    ui_locales: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9-]+( [A-Za-z0-9-]+)*$', maxLength: 200 })),
    acr_values: Type.Optional(Type.String({ pattern: '^[!-~]+( [!-~]+)*$', maxLength: 500 })),
    app: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'Id of a mobile app in APPS' })),
    code_challenge: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'S256 of a verifier that the app keeps (RFC 7636)' }),
    ),
    code_challenge_method: Type.Optional(Type.Literal('S256')),
    state: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, pattern: PLAIN_TEXT, description: "The app's own" }),
    ),
  },
  { additionalProperties: true }, // `utm_source` and its like must not break a login link; they are never forwarded.
)
type StartQuery = Static<typeof StartQuery>

const Started = Type.Object({
  authorization_url: Type.String({ description: 'Navigate there' }),
  expires_in: Type.Integer({ description: 'Seconds for which the IdP accepts it' }),
})

const schema = {
  operationId: 'startSignIn',
  summary: 'Sign the authorization request and send the browser to the IdP',
  tags: ['sign-in'],
  querystring: StartQuery,
  response: {
    200: Started,
    303: Type.Null({ description: 'To the authorization endpoint (navigations)' }),
    ...pageErrorResponses('invalid_request', 'forbidden_origin', 'rate_limited', 'idp_unavailable'),
  },
}

export interface AuthStartDeps extends SignInDeps {
  readonly config: Config
  readonly cookies: Cookies
  readonly metrics: Pick<Metrics, 'signInStarts'>
}

/** GET /auth/start: signs the request object, keeps the transaction, sends the browser to the IdP. */
export const authStart: FastifyPluginAsyncTypebox<AuthStartDeps> = async (app, deps) => {
  const { config, cookies, metrics } = deps
  const rules = { access: 'public', from: 'top-level', page: true, rateLimit: {} } as const

  app.get('/auth/start', { config: rules, schema }, async (request, reply) => {
    // A page fetched ahead is one that nobody asked for yet (ST-14). Refused, so that the browser drops it and asks
    // again when the user does.
    if (isPrefetch(request.headers)) throw new BffError('invalid_request', 'prefetch')
    const { query } = request
    const target = parseTarget(query, config)
    const presented = readPresented(request, cookies)
    const earlierSessionKey = 'credential' in presented ? sessionKey(presented.credential) : undefined
    const begun = await beginSignIn(deps, target, parseHints(query), earlierSessionKey)
    metrics.signInStarts.inc({ client: target.kind })
    cookies.setTransaction(request, reply, begun.cookie)
    if (wantsRedirect(query, request)) return reply.redirect(begun.authorizationUrl, 303)
    return { authorization_url: begun.authorizationUrl, expires_in: begun.expiresInS }
  })
}

const isPrefetch = (headers: Readonly<Record<string, unknown>>): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) =>
    /prefetch|prerender|preview/i.test(`${headers[name]}`),
  )

/** A fetch never gets a redirect: it could only follow it into an answer that CORS hides (contract §4). */
function wantsRedirect({ response }: StartQuery, request: Parameters<typeof isNavigation>[0]): boolean {
  if (response === 'json') return false
  if (response === 'redirect' && request.headers['sec-fetch-mode'] === undefined) return true
  return isNavigation(request)
}

function parseTarget(query: StartQuery, config: Config): SignInTarget {
  const forbidden = FORBIDDEN.find((name) => Object.hasOwn(query, name))
  if (forbidden !== undefined) throw new BffError('invalid_request', `${forbidden} is not the caller's to set`)
  if (query.app === undefined) return parseBrowserTarget(query, config)
  if (query.return_to !== undefined) throw new BffError('invalid_request', 'app excludes return_to')
  const found = config.apps.get(query.app)
  if (found === undefined) throw new BffError('invalid_request', 'app is not in APPS')
  if (query.code_challenge === undefined || query.code_challenge_method === undefined) {
    throw new BffError('invalid_request', 'app needs code_challenge and code_challenge_method=S256')
  }
  return { kind: 'app', app: found.id, codeChallenge: query.code_challenge, state: query.state }
}

function parseBrowserTarget(query: StartQuery, config: Config): SignInTarget {
  const forApps = FOR_APPS.find((name) => Object.hasOwn(query, name))
  if (forApps !== undefined) throw new BffError('invalid_request', `${forApps} goes with app only`)
  return { kind: 'browser', returnTo: parseReturnTo(query.return_to ?? '/', config) }
}

const parseHints = (query: StartQuery): SignInHints => ({
  prompt: query.prompt,
  maxAge: query.max_age === undefined ? undefined : Number(query.max_age), // A JSON number in the claim (RO-13).
  loginHint: query.login_hint,
  uiLocales: query.ui_locales,
  acrValues: query.acr_values,
})
