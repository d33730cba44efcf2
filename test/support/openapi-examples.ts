/** What calls and answers look like, by operation; `openapi.yaml` shows them, and a test holds them against its schemas. */
export interface Example {
  readonly parameters?: Readonly<Record<string, string>>
  /** By content type. */
  readonly body?: Readonly<Record<string, unknown>>
  /** By status; the body, whatever its content type. */
  readonly answers?: Readonly<Record<string, unknown>>
  /** Where a 303 leads. */
  readonly location?: string
}

const VIEW = {
  authenticated: true,
  user: { sub: 'u-4711', name: 'Ada Example', email: 'ada@example.com' },
  session_id: 'VQnJ1k5cTq0uH8m2yXb7Zg',
  expires_in: 43_100,
  idle_expires_in: 3600,
  access_token_expires_in: 840,
}

const AUTHORIZE =
  'https://account.oten.com/v1/oauth/authorize?client_id=your-client-id&request=eyJhbGciOiJFZERTQSJ9.e30.c2ln'
const TICKET = 'jH5rQ0v8x2bN7mK4sT1wZ6yD9cF3gL0aP8eU2iO5tRk'
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' // RFC 7636 appendix B.

/** Of the one shape of every failure. */
export const ERROR_EXAMPLE = {
  error: 'invalid_request',
  error_description: 'The request is malformed or has a value that is not allowed.',
  error_id: 'k3x9qa-2f',
}

export const EXAMPLES: Readonly<Record<string, Example>> = {
  startSignIn: {
    parameters: { return_to: '/orders/5?tab=notes', login_hint: 'ada@example.com', max_age: '3600', prompt: 'login' },
    answers: { 200: { authorization_url: AUTHORIZE, expires_in: 114 } },
    location: AUTHORIZE,
  },
  finishSignIn: {
    parameters: { code: 'SplxlOBeZQQYbYS6WxSbIA', state: TICKET },
    location: 'https://app.example.com/orders/5?tab=notes',
  },
  redeemHandoff: {
    body: { 'application/json': { code: TICKET, code_verifier: VERIFIER, session: 'token' } },
    answers: { 200: { ...VIEW, session_token: `t_${TICKET}` } },
  },
  getSession: { parameters: { touch: 'true' }, answers: { 200: VIEW } },
  refreshTokens: { answers: { 200: VIEW } },
  listSessions: {
    answers: {
      200: {
        sessions: [
          {
            session_id: VIEW.session_id,
            current: true,
            kind: 'browser',
            app: null,
            created_at: 1_790_000_000,
            last_used_at: 1_790_000_600,
            user_agent: 'Mozilla/5.0',
          },
        ],
      },
    },
  },
  endOtherSessions: { answers: { 200: { ended: 2 } } },
  endSession: { parameters: { session_id: VIEW.session_id } },
  streamEvents: { answers: { 200: 'event: ended\ndata: {"reason":"logout"}\n\n' } },
  signOut: {
    body: { 'application/json': { return_to: '/goodbye' } },
    answers: { 200: { logout_url: `https://app.example.com/auth/logout/continue?ticket=${TICKET}` } },
    location: `https://app.example.com/auth/logout/continue?ticket=${TICKET}`,
  },
  continueSignOut: {
    parameters: { ticket: TICKET },
    location: `https://account.oten.com/v1/oauth/logout?client_id=your-client-id&state=${TICKET}`,
  },
  signedOut: { parameters: { state: TICKET }, location: 'https://app.example.com/goodbye' },
  backchannelLogout: {
    body: { 'application/x-www-form-urlencoded': { logout_token: 'eyJ0eXAiOiJsb2dvdXQrand0In0.e30.c2ln' } },
    answers: { 200: {} },
  },
  getJwks: {
    answers: {
      200: {
        keys: [
          {
            kty: 'OKP',
            crv: 'Ed25519',
            x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', // RFC 8037 appendix A.2.
            kid: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
            alg: 'EdDSA',
            use: 'sig',
          },
        ],
      },
    },
  },
  getOpenapi: { answers: { 200: { openapi: '3.1.0' } } },
  getClient: { answers: { 200: 'export { getSession, signIn, signOut }' } },
}
