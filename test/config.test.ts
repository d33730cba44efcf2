import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { assertRefused, DEVELOPMENT_ENV, findFaults, VALID_ENV } from './config/valid-env.ts'

test('the least configuration starts with the defaults of the contract', () => {
  const { secrets, apps, ...config } = loadConfig(VALID_ENV)
  assert.deepEqual(config, {
    publicUrl: 'https://app.example.com',
    secure: true,
    listen: { host: '0.0.0.0', port: 8080 },
    admin: { host: '127.0.0.1', port: 8081 },
    idp: {
      issuer: 'https://account.oten.com',
      allowInsecureIssuer: false,
      clientId: 'client-1',
      tokenAuth: 'auto',
      scope: 'openid profile email',
      backchannelLogout: 'auto',
      postLogoutRedirectUri: 'https://app.example.com/auth/logged-out',
    },
    requestObject: { alg: 'EdDSA', ttlS: 120, backdateS: 5, typ: 'oauth-authz-req+jwt', audience: undefined },
    session: {
      store: 'file:./data/sessions.db',
      browser: { idleS: 3600, maxS: 43_200 },
      app: { idleS: 2_592_000, maxS: 7_776_000 },
      sameSite: 'strict',
      claims: ['sub', 'name', 'email', 'email_verified', 'picture', 'locale'],
    },
    allowedOrigins: [],
    apiRoutes: [],
    trustedProxies: [],
    rateLimitPerMinute: 300,
    logLevel: 'info',
    otlpEndpoint: undefined,
    warnings: [],
  })
  assert.equal(apps.size, 0)
  assert.equal(secrets.current().clientSecret, 'a secret of Oten')
  assert.equal(secrets.current().adminToken, undefined)
})

test('every setting reaches the configuration', () => {
  const config = loadConfig({
    ...VALID_ENV,
    HOST: '::',
    PORT: '0',
    ADMIN_HOST: '::1',
    ADMIN_PORT: '0',
    OTEN_ISSUER: 'https://account.sbx.oten.dev/',
    OTEN_TOKEN_AUTH: 'client_secret_post',
    OTEN_SCOPE: 'openid offline_access',
    BACKCHANNEL_LOGOUT: 'on',
    POST_LOGOUT_REDIRECT_URI: 'https://www.example.com/bye?lang=en',
    JAR_ALG: 'Ed25519',
    JAR_TTL_S: '300',
    JAR_BACKDATE_S: '0',
    JAR_TYP: 'JWT',
    JAR_AUDIENCE: 'https://account.oten.com',
    SESSION_STORE: 'rediss://user:c4nary@redis.internal:6379/0',
    SESSION_IDLE_S: '60',
    SESSION_MAX_S: '600',
    APP_SESSION_IDLE_S: '61',
    APP_SESSION_MAX_S: '601',
    SESSION_SAME_SITE: 'none',
    SESSION_CLAIMS: 'sub, https://example.com/roles,sub',
    TRUSTED_PROXIES: '10.0.0.0/8',
    RATE_LIMIT_PER_MINUTE: '0',
    ADMIN_TOKEN: 'sixteen-letters!',
    LOG_LEVEL: 'silent',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  })
  assert.deepEqual(config.listen, { host: '::', port: 0 })
  assert.deepEqual(config.admin, { host: '::1', port: 0 })
  assert.deepEqual(config.idp, {
    issuer: 'https://account.sbx.oten.dev/',
    allowInsecureIssuer: false,
    clientId: 'client-1',
    tokenAuth: 'client_secret_post',
    scope: 'openid offline_access',
    backchannelLogout: 'on',
    postLogoutRedirectUri: 'https://www.example.com/bye?lang=en',
  })
  assert.deepEqual(config.requestObject, {
    alg: 'Ed25519',
    ttlS: 300,
    backdateS: 0,
    typ: 'JWT',
    audience: 'https://account.oten.com',
  })
  assert.deepEqual(config.session, {
    store: 'rediss://user:c4nary@redis.internal:6379/0',
    browser: { idleS: 60, maxS: 600 },
    app: { idleS: 61, maxS: 601 },
    sameSite: 'none',
    claims: ['sub', 'https://example.com/roles'],
  })
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8'])
  assert.equal(config.rateLimitPerMinute, 0)
  assert.equal(config.secrets.current().adminToken, 'sixteen-letters!')
  assert.equal(config.logLevel, 'silent')
  assert.equal(config.otlpEndpoint, 'http://collector:4318')
  assert.deepEqual(config.warnings, [])
})

test('nothing in the configuration can be changed', () => {
  const config = loadConfig({ ...VALID_ENV, APPS: 'a=com.example.app:/', API_ROUTES: '/api/a=https://a.internal' })
  const parts = [
    ...[config, config.listen, config.admin, config.idp, config.requestObject, config.session, config.session.browser],
    ...[config.session.app, config.session.claims, config.allowedOrigins, config.apiRoutes, config.apiRoutes[0]],
    ...[config.apps.get('a'), config.trustedProxies, config.warnings, config.secrets, config.secrets.current()],
    ...[config.secrets.current().jarKeys, config.secrets.current().jarKeys[0], config.secrets.current().sessionKeys],
  ]
  for (const part of parts) assert.ok(Object.isFrozen(part), inspect(part))
})

test('KY-09 printing the configuration shows no secret', () => {
  const config = loadConfig({ ...VALID_ENV, ADMIN_TOKEN: 'c4nary-c4nary-c4nary' })
  const printed = inspect(config, { depth: 9, showHidden: true }) + JSON.stringify(config)
  for (const secret of ['a secret of Oten', 'nWGxne', VALID_ENV.SESSION_KEYS ?? '', 'c4nary']) {
    assert.ok(!printed.includes(secret))
  }
})

test('CF-01 an empty environment is refused with everything that is missing', () => {
  const names = findFaults({}).map((fault) => fault.split(':')[0])
  assert.deepEqual(names, ['PUBLIC_URL', 'OTEN_CLIENT_ID', 'SESSION_KEYS', 'OTEN_CLIENT_SECRET', 'JAR_KEYS'])
})

test('CF-01 every fault is told at once, each once, and none shows a value', () => {
  const faults = findFaults({
    PUBLIC_URL: 'https://c4nary.example.com/path',
    OTEN_CLIENT_ID: 'c4nary c4nary',
    OTEN_ISUER: 'c4nary',
    OTEN_SCOPE: 'c4nary',
    JAR_ALG: 'c4nary',
    JAR_TTL_S: 'c4nary',
    JAR_KEYS: '{"c4nary":',
    SESSION_KEYS: 'c4nary',
    SESSION_STORE: 'c4nary://user:c4nary@host',
    ALLOW_INSECURE_ISSUER: 'c4nary',
    APPS: 'c4nary',
    API_ROUTES: 'c4nary',
    ALLOWED_ORIGINS: 'c4nary',
    TRUSTED_PROXIES: 'c4nary',
    ADMIN_TOKEN: 'c4nary',
    ADMIN_PORT: 'c4nary',
    SESSION_CLAIMS: 'c4nary c4nary',
    POST_LOGOUT_REDIRECT_URI: 'c4nary',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'c4nary',
  })
  assert.ok(!faults.join().includes('c4nary'), faults.join('\n'))
  assert.deepEqual(
    faults.map((fault) => fault.split(':')[0]).sort(),
    [
      ...['ADMIN_PORT', 'ADMIN_TOKEN', 'ALLOWED_ORIGINS', 'ALLOW_INSECURE_ISSUER', 'API_ROUTES', 'APPS', 'JAR_ALG'],
      ...['JAR_KEYS', 'JAR_TTL_S', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEN_CLIENT_ID', 'OTEN_ISUER', 'OTEN_SCOPE'],
      ...[
        'POST_LOGOUT_REDIRECT_URI',
        'PUBLIC_URL',
        'SESSION_CLAIMS',
        'SESSION_KEYS',
        'SESSION_STORE',
        'TRUSTED_PROXIES',
      ],
    ].sort(),
  )
})

for (const publicUrl of [
  'http://localhost',
  'http://127.0.0.1:3000',
  'http://[::1]:3000',
  'https://a-b.example.com:8443',
]) {
  test(`PUBLIC_URL=${publicUrl} is accepted`, () => {
    const config = loadConfig({ ...VALID_ENV, PUBLIC_URL: publicUrl })
    assert.equal(config.publicUrl, publicUrl)
    assert.equal(config.secure, publicUrl.startsWith('https:'))
    assert.equal(config.idp.postLogoutRedirectUri, `${publicUrl}/auth/logged-out`)
  })
}

test('an empty value counts as unset', () => {
  const config = loadConfig({
    ...VALID_ENV,
    PORT: '',
    OTEN_ISSUER: '',
    ADMIN_TOKEN: '',
    JAR_KEYS_FILE: '',
    OTEN_ISUER: '',
  })
  assert.equal(config.listen.port, 8080)
  assert.equal(config.idp.issuer, 'https://account.oten.com')
  assert.equal(config.secrets.current().adminToken, undefined)
})

test('CF-02 an http issuer needs loopback on both sides and the switch', () => {
  const issuer = { OTEN_ISSUER: 'http://localhost:3001', ALLOW_INSECURE_ISSUER: 'true' }
  assert.equal(loadConfig({ ...DEVELOPMENT_ENV, ...issuer }).idp.allowInsecureIssuer, true)
  assertRefused({ ...VALID_ENV, ...issuer }, 'ALLOW_INSECURE_ISSUER', /PUBLIC_URL is https/)
  assertRefused({ ...DEVELOPMENT_ENV, ALLOW_INSECURE_ISSUER: 'true' }, 'ALLOW_INSECURE_ISSUER', /loopback host/)
  assertRefused({ ...DEVELOPMENT_ENV, OTEN_ISSUER: 'http://localhost:3001' }, 'OTEN_ISSUER', /must use https/)
  assertRefused({ ...DEVELOPMENT_ENV, ...issuer, OTEN_ISSUER: 'http://192.168.0.1' }, 'OTEN_ISSUER', /must use https/)
})

test('CF-02 a cookie for other sites is refused on plain http', () => {
  assertRefused({ ...DEVELOPMENT_ENV, SESSION_SAME_SITE: 'none' }, 'SESSION_SAME_SITE', /plain http/)
})

test('CF-02 certificate checks can be turned off in development only, with a warning', () => {
  const { warnings } = loadConfig({ ...DEVELOPMENT_ENV, NODE_TLS_REJECT_UNAUTHORIZED: '0' })
  assert.match(warnings.join(), /^NODE_TLS_REJECT_UNAUTHORIZED: /)
})

test('the two listeners must not collide', () => {
  const collide = (env: Record<string, string>) => ({ ...VALID_ENV, PORT: '8081', ...env })
  assertRefused(collide({}), 'ADMIN_PORT', /same as PORT/)
  assertRefused(collide({ HOST: 'localhost' }), 'ADMIN_PORT', /same as PORT/)
  assertRefused(collide({ HOST: '10.0.0.1', ADMIN_HOST: '::' }), 'ADMIN_PORT', /same as PORT/)
  assert.deepEqual(findFaults(collide({ HOST: '10.0.0.1' })), [])
  assert.deepEqual(findFaults({ ...VALID_ENV, PORT: '0', ADMIN_PORT: '0' }), [])
})

test('POST_LOGOUT_REDIRECT_URI may be http on this machine', () => {
  const uri = 'http://127.0.0.1:3000/out'
  assert.equal(loadConfig({ ...VALID_ENV, POST_LOGOUT_REDIRECT_URI: uri }).idp.postLogoutRedirectUri, uri)
})

test('what is allowed but hardly meant is a warning', () => {
  const warn = (env: Record<string, string>) => loadConfig({ ...VALID_ENV, ...env }).warnings.join()
  assert.match(warn({ SESSION_IDLE_S: '43201' }), /^SESSION_IDLE_S: is larger than SESSION_MAX_S/)
  assert.match(warn({ APP_SESSION_IDLE_S: '7776001' }), /^APP_SESSION_IDLE_S: is larger than APP_SESSION_MAX_S/)
  assert.equal(warn({ SESSION_IDLE_S: '43200', APP_SESSION_IDLE_S: '7776000' }), '')
  assert.match(warn({ SESSION_STORE: 'memory:' }), /^SESSION_STORE: .*end with the process/)
  assert.deepEqual(loadConfig({ ...DEVELOPMENT_ENV, SESSION_STORE: 'memory:' }).warnings, [])
})
