import { type Static, Type } from 'typebox'

/** Visible ASCII without spaces: what an identifier on the wire may hold. */
const VISIBLE = '^[!-~]+$'

const wholeNumber = (preset: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: preset, minimum, maximum, description })

const choice = <const Choices extends string[]>(values: [...Choices], preset: Choices[number], description: string) =>
  Type.Enum(values, { default: preset, description })

const port = (preset: number, description: string) => wholeNumber(preset, 0, 65_535, description)

/** Ten years: far beyond any session, and safe in every store's arithmetic. */
const SECONDS_MAX = 315_360_000
const seconds = (preset: number, description: string) => wholeNumber(preset, 1, SECONDS_MAX, description)

const reach = {
  PUBLIC_URL: Type.String({
    description:
      'Origin at which browsers reach the service, without a path or a trailing slash: https, or http on localhost, ' +
      '127.0.0.1 or [::1] only. The redirect URI to register with Oten is always this plus /auth/callback.',
    examples: ['https://app.example.com'],
  }),
  HOST: Type.String({ default: '0.0.0.0', description: 'Address on which the main listener listens.' }),
  PORT: port(8080, 'Port of the main listener; 0 takes any free one.'),
  ADMIN_HOST: Type.String({
    default: '127.0.0.1',
    description: 'Address of the inner listener: health, metrics, forward-auth, admin API. Keep it private.',
  }),
  ADMIN_PORT: port(8081, 'Port of the inner listener; 0 takes any free one.'),
  TRUSTED_PROXIES: Type.String({
    default: '',
    description:
      'Addresses or CIDRs, comma-separated, of the proxies whose X-Forwarded-For is believed, for the client address only.',
    examples: ['10.0.0.0/8,fd00::/8'],
  }),
  RATE_LIMIT_PER_MINUTE: wholeNumber(
    300,
    0,
    1_000_000,
    'Sign-in starts and handoffs per minute and client address (IPv6 by /64); 0 turns the limit off.',
  ),
}

const idp = {
  OTEN_ISSUER: Type.String({
    default: 'https://account.oten.com',
    description:
      "Oten's issuer, exactly as its discovery document states it. http only for loopback hosts, together with " +
      'ALLOW_INSECURE_ISSUER=true.',
  }),
  ALLOW_INSECURE_ISSUER: Type.Boolean({
    default: false,
    description: 'For development: allows an http issuer on a loopback host. Refused when PUBLIC_URL is https.',
  }),
  OTEN_CLIENT_ID: Type.String({
    pattern: VISIBLE,
    description: 'The client id that Oten assigned.',
    examples: ['6f1a7c5e-0c1e-4a55-9d8e-3f2b8f6f7c11'],
  }),
  OTEN_CLIENT_SECRET: Type.Optional(
    Type.String({
      description:
        'The client secret, taken as it is. Needed unless OTEN_TOKEN_AUTH is private_key_jwt and JAR_ALG is not HS256. ' +
        'For HS256: 32 octets or more; 16 to 31 start with a warning.',
    }),
  ),
  OTEN_TOKEN_AUTH: choice(
    ['auto', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    'auto',
    'How the service authenticates at the token endpoint; auto reads it from discovery, basic before post.',
  ),
  CLIENT_ASSERTION_KEYS: Type.Optional(
    Type.String({
      description: 'Ed25519 keys for private_key_jwt, in the forms of JAR_KEYS. No key may be in both.',
    }),
  ),
  OTEN_SCOPE: Type.String({
    default: 'openid profile email',
    description: 'Scopes to ask for, separated by one space. Add offline_access for refresh tokens.',
  }),
  POST_LOGOUT_REDIRECT_URI: Type.Optional(
    Type.String({
      description:
        'Where Oten sends the browser after a logout; must be registered with Oten. Default: PUBLIC_URL plus /auth/logged-out.',
    }),
  ),
  BACKCHANNEL_LOGOUT: choice(
    ['auto', 'on', 'off'],
    'auto',
    'Whether to accept back-channel logout; auto is on when discovery announces it.',
  ),
}

const requestObject = {
  JAR_ALG: choice(
    ['EdDSA', 'Ed25519', 'HS256'],
    'EdDSA',
    'Signature algorithm of the request object, as registered with Oten. Ed25519 is the newer name of the same signature (RFC 9864).',
  ),
  JAR_KEYS: Type.Optional(
    Type.String({
      description:
        'Ed25519 signing keys: PKCS#8 PEM (one or several blocks, line breaks may be written as \\n), a private JWK, or a JWK ' +
        'Set. The first key signs, all are published. Needed unless JAR_ALG is HS256. Made by: npm run keys -- generate',
    }),
  ),
  JAR_KEY_ID: Type.Optional(
    Type.String({
      pattern: VISIBLE,
      description:
        'The Key ID that Oten assigned to the first key, where that key does not carry another one: a PEM, or a JWK from ' +
        "npm run keys. Default: the JWK's kid, else the RFC 7638 thumbprint.",
    }),
  ),
  JAR_TTL_S: wholeNumber(120, 30, 300, 'Lifetime of a request object in seconds (exp - iat).'),
  JAR_BACKDATE_S: wholeNumber(5, 0, 10, 'Seconds by which iat and nbf lie back, for verifiers whose clock is behind.'),
  JAR_TYP: choice(['oauth-authz-req+jwt', 'JWT'], 'oauth-authz-req+jwt', 'The typ header of a request object.'),
  JAR_AUDIENCE: Type.Optional(
    Type.String({
      pattern: VISIBLE,
      description: 'The aud claim of a request object. Default: the discovered issuer.',
    }),
  ),
}

const session = {
  SESSION_KEYS: Type.String({
    description:
      'Keys that seal sessions at rest: 32 random bytes each, base64url, comma-separated. The first seals, the rest only ' +
      'open. Made by: npm run keys -- session',
  }),
  SESSION_STORE: Type.String({
    default: 'file:./data/sessions.db',
    description:
      'Where sessions live: memory: (lost at a restart), file:PATH (embedded, survives restarts), redis://... or ' +
      'rediss://... (several replicas).',
  }),
  SESSION_IDLE_S: seconds(3_600, 'Seconds without use after which a browser session ends.'),
  SESSION_MAX_S: seconds(43_200, 'Seconds after which a browser session ends in any case.'),
  APP_SESSION_IDLE_S: seconds(2_592_000, 'Seconds without use after which a mobile-app session ends.'),
  APP_SESSION_MAX_S: seconds(7_776_000, 'Seconds after which a mobile-app session ends in any case.'),
  SESSION_SAME_SITE: choice(
    ['strict', 'lax', 'none'],
    'strict',
    'SameSite of the session cookie; none is also Partitioned, and refused on plain http.',
  ),
  SESSION_CLAIMS: Type.String({
    default: 'sub,name,email,email_verified,picture,locale',
    description: 'ID-token claims shown to the page, comma-separated.',
  }),
}

const clients = {
  ALLOWED_ORIGINS: Type.String({
    default: '',
    description:
      'Other origins, comma-separated, whose pages may call the service with credentials and be returned to. Exact ' +
      "origins, no wildcard; a hybrid app's origin such as capacitor://localhost is one too.",
    examples: ['https://www.example.com,capacitor://localhost'],
  }),
  APPS: Type.String({
    default: '',
    description:
      'Mobile apps as id=deep-link, comma-separated. A deep link is a claimed https link or a private-use scheme.',
    examples: ['ios=https://app.example.com/signed-in,android=com.example.app:/signed-in'],
  }),
  API_ROUTES: Type.String({
    default: '',
    description:
      'Proxied APIs as prefix=upstream, comma-separated; the longest prefix wins. Methods before a prefix leave out all others.',
    examples: ['/api/orders=https://orders.internal/v1', 'GET|HEAD /api/prices=https://prices.internal'],
  }),
}

const operation = {
  ADMIN_TOKEN: Type.Optional(
    Type.String({ description: 'Bearer token that turns the admin API on: 16 characters or more.' }),
  ),
  LOG_LEVEL: choice(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'The least severe log lines to write.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({ description: 'Base URL of an OpenTelemetry collector (OTLP over HTTP); turns tracing on.' }),
  ),
}

/** The variables by subject, in the order in which a reader meets them. */
export const GROUPS = [
  { title: 'Where the service is reached', variables: reach },
  { title: 'The identity provider', variables: idp },
  { title: 'The signed authorization request (JAR, RFC 9101)', variables: requestObject },
  { title: 'Sessions', variables: session },
  { title: 'Who uses the service', variables: clients },
  { title: 'Operation', variables: operation },
] as const

/** Every variable: what it may hold, what it is without a word from the operator, and what it means. */
export const Environment = Type.Object({
  ...reach,
  ...idp,
  ...requestObject,
  ...session,
  ...clients,
  ...operation,
})

export type Environment = Static<typeof Environment>

/** The variables that can come from a file, named by the variable with `_FILE` after it. */
export const FILE_VARIABLES = [
  'OTEN_CLIENT_SECRET',
  'JAR_KEYS',
  'CLIENT_ASSERTION_KEYS',
  'SESSION_KEYS',
  'SESSION_STORE',
  'ADMIN_TOKEN',
] as const satisfies readonly (keyof Environment)[]

export type FileVariable = (typeof FILE_VARIABLES)[number]

/** What a start without any choice made must be given; the schema's own `required` plus what its defaults ask for. */
export const NEEDED_BY_DEFAULT: readonly (keyof Environment)[] = [
  'PUBLIC_URL',
  'OTEN_CLIENT_ID',
  'OTEN_CLIENT_SECRET',
  'JAR_KEYS',
  'SESSION_KEYS',
]
