import { each, type Refusal } from './refusal.ts'

const PLACEHOLDERS = [
  'changeme',
  'CHANGE-ME',
  '<client-id>',
  'your-client-id',
  'YOUR_CLIENT_ID',
  'replace_me',
  'xxxx',
  'TODO',
  'placeholder',
  'example',
  '$'.concat('{CLIENT_ID}'),
]

const placeholders: readonly Refusal[] = [
  ...each(
    PLACEHOLDERS,
    (clientId) => ({ oten: { clientId } }),
    (value) => `the placeholder ${value} as oten.clientId`,
    /at '\/oten\/clientId'.*'not' failed/s,
  ),
  ...each(
    ['registry.example.com/oten-bff', 'your-registry/oten-bff', 'changeme/oten-bff'],
    (repository) => ({ image: { repository } }),
    (value) => `the placeholder ${value} as image.repository`,
    /at '\/image\/repository'.*'not' failed/s,
  ),
  ...each(
    ['https://app.example.com', 'https://example.org', 'https://your-domain.test'],
    (publicUrl) => ({ publicUrl }),
    (value) => `the placeholder ${value} as publicUrl`,
    /at '\/publicUrl'.*'not' failed/s,
  ),
  {
    what: 'a placeholder as oten.issuer',
    values: { oten: { issuer: 'https://idp.example.com' } },
    says: /at '\/oten\/issuer'.*'not' failed/s,
  },
  {
    what: 'a placeholder as secret.existingSecret',
    values: { secret: { existingSecret: 'your-secret' } },
    says: /at '\/secret\/existingSecret'.*'not' failed/s,
  },
  {
    what: 'a placeholder as requestObject.keyId',
    values: { requestObject: { keyId: '<key-id>' } },
    says: /at '\/requestObject\/keyId'.*'not' failed/s,
  },
  {
    what: 'a placeholder as the upstream of an API',
    values: { apiRoutes: [{ prefix: '/api/a', upstream: 'https://api.example.com' }] },
    says: /at '\/apiRoutes\/0\/upstream'.*'not' failed/s,
  },
]

const urls: readonly Refusal[] = [
  ...each(
    [
      'http://app.acme.test',
      'http://localhost:3000',
      'app.acme.test',
      'https://app.acme.test/',
      'https://app.acme.test/login',
      'https://App.acme.test',
      'https://user@app.acme.test',
      'https://*.acme.test',
    ],
    (publicUrl) => ({ publicUrl }),
    (value) => `${value} as publicUrl`,
    /at '\/publicUrl': .*does not match pattern/,
  ),
  {
    what: 'the default port in publicUrl',
    values: { publicUrl: 'https://app.acme.test:443' },
    says: /at '\/publicUrl': 'not' failed/,
  },
  ...each(
    [
      'http://account.oten.com',
      'http://localhost:3001',
      'account.oten.com',
      'https://account.oten.com?x=1',
      'https://account.oten.com#x',
      '',
    ],
    (issuer) => ({ oten: { issuer } }),
    (value) => `'${value}' as oten.issuer`,
    /at '\/oten\/issuer': /,
  ),
  {
    what: 'a post-logout redirect URI on plain http',
    values: { oten: { postLogoutRedirectUri: 'http://app.acme.test/bye' } },
    says: /at '\/oten\/postLogoutRedirectUri': .*does not match/,
  },
  {
    what: 'an allowed origin on plain http',
    values: { allowedOrigins: ['http://spa.acme.test'] },
    says: /at '\/allowedOrigins\/0': 'not' failed/,
  },
  {
    what: 'an allowed origin with a wildcard',
    values: { allowedOrigins: ['https://*.acme.test'] },
    says: /at '\/allowedOrigins\/0': .*does not match/,
  },
  {
    what: 'an app whose deep link runs script',
    values: { apps: { web: 'javascript:/alert(1)' } },
    says: /at '\/apps\/web': 'not' failed/,
  },
  {
    what: 'a proxied API outside /api',
    values: { apiRoutes: [{ prefix: '/orders', upstream: 'https://orders.internal' }] },
    says: /at '\/apiRoutes\/0\/prefix': .*does not match/,
  },
  {
    what: 'a proxied API with an unknown method',
    values: { apiRoutes: [{ prefix: '/api/a', upstream: 'https://a.internal', methods: ['FETCH'] }] },
    says: /at '\/apiRoutes\/0\/methods\/0': value must be one of/,
  },
  {
    what: 'a trusted proxy that is everybody',
    values: { trustedProxies: ['0.0.0.0/0'] },
    says: /at '\/trustedProxies\/0': 'not' failed/,
  },
  {
    what: 'a Redis address with a password among the values',
    values: { sessionStore: { kind: 'redis', redis: { url: 'redis://:geheim@redis:6379' } } },
    says: /at '\/sessionStore\/redis\/url': /,
  },
]

/** Names and addresses. */
export const refusedTexts: readonly Refusal[] = [...placeholders, ...urls]
