import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { assertRefused, VALID_ENV } from './valid-env.ts'

type Table = readonly (readonly [value: string, reason: RegExp])[]

function testRefused(name: string, ids: string, table: Table): void {
  for (const [value, reason] of table) {
    test(`${ids} ${name}=${value} is refused, and not shown`, () => {
      assertRefused({ ...VALID_ENV, [name]: value }, name, reason, ['c4nary', 'entry 1 entry'])
    })
  }
}

testRefused('ALLOWED_ORIGINS', 'CF-02', [
  ['*', /wildcard/],
  ['https://*.c4nary.com', /wildcard/],
  ['null', /null/],
  ['https://c4nary.com,null', /entry 2 /],
  ['https://c4nary.com,', /entry 2 is empty/],
  ['https://c4nary.com/', /slash; remove it/],
  ['https://c4nary.com/path', /without a path/],
  ['https://c4nary.com:443', /default port/],
  ['https://C4NARY.com', /as browsers send it/],
  ['HTTPS://c4nary.com', /absolute URL/],
  ['https://x@c4nary.com', /user name/],
  ['http://c4nary.com', /must use https/],
  ['http://192.168.0.1:8080', /must use https/],
  ['http://localhost.c4nary.com', /must use https/],
  ['c4nary.com', /exact origin/],
  ['capacitor://localhost/c4nary', /exact origin/],
  ['capacitor://c4nary@localhost', /exact origin/],
  ['Capacitor://c4nary', /exact origin/],
  ['capacitor:', /exact origin/],
  ['file://c4nary', /exact origin/],
  ['javascript://c4nary', /exact origin/],
  ['chrome-extension://c4nary', /exact origin/],
])

test('ALLOWED_ORIGINS keeps exact origins, each once, without PUBLIC_URL', () => {
  const ALLOWED_ORIGINS = [
    ...['https://www.example.com', ' https://www.example.com ', 'https://app.example.com', 'capacitor://localhost'],
    ...[
      'ionic://localhost',
      'http://localhost:5173',
      'http://127.0.0.1',
      'http://[::1]:8080',
      'com.example.app://web:1',
    ],
  ].join(',')
  assert.deepEqual(loadConfig({ ...VALID_ENV, ALLOWED_ORIGINS }).allowedOrigins, [
    ...['https://www.example.com', 'capacitor://localhost', 'ionic://localhost', 'http://localhost:5173'],
    ...['http://127.0.0.1', 'http://[::1]:8080', 'com.example.app://web:1'],
  ])
})

testRefused('APPS', 'MH-03 CF-03', [
  ['c4nary', /id=deep-link/],
  ['=https://c4nary.com', /id=deep-link/],
  ['c4nary=', /id=deep-link/],
  ['a=https://c4nary.com,', /entry 2 is empty/],
  ['c4 nary=https://c4nary.com', /must have an id/],
  [`${'c4nary'.repeat(11)}=https://c4nary.com`, /1 to 64/],
  ['a=https://c4nary.com,a=https://c4nary.org', /entry 2 must have an id of its own/],
  ['a=https://c4nary.com/#x', /fragment/],
  ['a=https://c4nary.com/#', /fragment/],
  ['a=https://*.c4nary.com/', /wildcard/],
  ['a=https://c4nary.com/*', /wildcard/],
  ['a=https://x:y@c4nary.com/', /user name/],
  ['a=https://@c4nary.com/', /user name/],
  ['a=https:c4nary.com/', /absolute URL/],
  ['a=https:///c4nary', /absolute URL/],
  ['a=https://c4nary.com\\x', /without spaces or backslashes/],
  ['a=http://c4nary.com/', /loopback addresses/],
  ['a=http://localhost:3000/c4nary', /loopback addresses/],
  ['a=http://127.0.0.2/c4nary', /loopback addresses/],
  ['a=/c4nary', /must have a deep link such as/],
  ['a=//c4nary.com', /must have a deep link such as/],
  ['a=com.c4nary.app:signed-in', /must have a deep link such as/],
  ['a=com.c4nary.app:', /must have a deep link such as/],
  ['a=com.c4nary.app:///signed-in', /must have a deep link such as/],
  ['a=com.c4nary.app://x@host/signed-in', /user name/],
  ['a=com.c4nary.app:/signed-in#x', /fragment/],
  ['a=com.c4nary.app:/*', /wildcard/],
  ['a=COM.C4NARY.app:/x', /must have a deep link such as/],
  ['a=com.c4nary.app://host:99999/x', /must have a deep link such as/],
  ['a=https://c4nary.com/?code=1', /code, state, error/],
  ['a=https://c4nary.com/?x=1&state=', /code, state, error/],
  ['a=com.c4nary.app:/x?error=1', /code, state, error/],
  ['a=com.c4nary.app:/x?%63ode=1', /code, state, error/],
])

const TAKEN = [
  ...['javascript', 'vbscript', 'data', 'blob', 'file', 'filesystem', 'about', 'view-source', 'chrome', 'intent'],
  ...['chrome-extension', 'content', 'ws', 'wss', 'ftp', 'mailto', 'tel', 'sms', 'android-app', 'market', 'jar', 'urn'],
]
testRefused(
  'APPS',
  'MH-03',
  TAKEN.map((scheme) => [`a=${scheme}:/c4nary`, /scheme that is taken/]),
)

test('MH-03 claimed links, private-use schemes and loopback addresses are kept as they are written', () => {
  const links = {
    ios: 'https://app.example.com/signed-in?from=app',
    android: 'com.example.app:/signed-in',
    'with-host_1': 'com.example.app://signedIn/now?x=y',
    only_host: 'com.example.app://callback',
    desktop4: 'http://127.0.0.1:51004/signed-in',
    desktop6: 'http://[::1]/signed-in',
  }
  const APPS = Object.entries(links)
    .map(([id, link]) => `${id}=${link}`)
    .join(', ')
  const { apps, warnings } = loadConfig({ ...VALID_ENV, APPS })
  assert.deepEqual(
    [...apps],
    Object.entries(links).map(([id, deepLink]) => [id, { id, deepLink }]),
  )
  assert.deepEqual(warnings, [])
})

test('MH-03 a scheme without a period starts with a warning that does not show it', () => {
  const { apps, warnings } = loadConfig({ ...VALID_ENV, APPS: 'a=com.example.app:/x,b=c4nary://x' })
  assert.equal(apps.get('b')?.deepLink, 'c4nary://x')
  assert.equal(warnings.length, 1)
  assert.match(warnings.join(), /^APPS: entry 2 uses a scheme without a period/)
  assert.ok(!warnings.join().includes('c4nary'))
})

testRefused('API_ROUTES', 'CF-05', [
  ['c4nary', /\/api\/name=https/],
  ['/api/c4nary=', /\/api\/name=https/],
  ['/api=https://c4nary', /such as \/api\/orders/],
  ['/api/=https://c4nary', /such as \/api\/orders/],
  ['/auth/c4nary=https://c4nary', /such as \/api\/orders/],
  ['api/c4nary=https://c4nary', /such as \/api\/orders/],
  ['/api/c4nary/=https://c4nary', /trailing slash/],
  ['/api/../c4nary=https://c4nary', /dot segments/],
  ['/api/.=https://c4nary', /dot segments/],
  ['/api/c4nary/..=https://c4nary', /dot segments/],
  ['/api//c4nary=https://c4nary', /such as \/api\/orders/],
  ['/api/c4nary%2fx=https://c4nary', /no encoding/],
  ['/api/c4nary\\x=https://c4nary', /such as \/api\/orders/],
  ['/api/:c4nary=https://c4nary', /such as \/api\/orders/],
  ['/api/c4nary*=https://c4nary', /such as \/api\/orders/],
  ['/api/a=https://c4nary,/api/a=https://c4nary', /entry 2 must have a prefix of its own/],
  ['/api/a=c4nary:8080', /upstream that must be an absolute URL/],
  ['/api/a=/c4nary', /upstream that must be an absolute URL/],
  ['/api/a=ftp://c4nary', /upstream that must be an absolute URL/],
  ['/api/a=https://x:y@c4nary', /user name/],
  ['/api/a=https://c4nary?x', /query/],
  ['/api/a=https://c4nary/#x', /fragment/],
  ['/api/a=https://*.c4nary', /wildcard/],
  ['/api/a=https://c4nary!', /valid host/],
  ['/api/a=https://c4nary/x/../y', /canonically/],
  ['/api/a=https://c4nary/x%2fy', /canonically/],
  ['/api/a=https://c4nary//x', /canonically/],
  ['/api/a=https://c4nary:443', /default port/],
  ['c4nary /api/a=https://a.internal', /name each method once/],
  ['get /api/a=https://a.internal', /name each method once/],
  ['GET|GET /api/a=https://a.internal', /name each method once/],
  ['GET|OPTIONS /api/a=https://a.internal', /name each method once/],
])

const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

test('API_ROUTES: the longest prefix comes first, upstreams have no trailing slash', () => {
  const API_ROUTES =
    '/api/orders=https://orders.internal/v1/, /api/orders/old=https://old.internal:8443,/api/a=http://127.0.0.1:9/'
  const { apiRoutes, warnings } = loadConfig({ ...VALID_ENV, API_ROUTES })
  assert.deepEqual(apiRoutes, [
    { prefix: '/api/orders/old', upstream: 'https://old.internal:8443', methods: ALL_METHODS },
    { prefix: '/api/orders', upstream: 'https://orders.internal/v1', methods: ALL_METHODS },
    { prefix: '/api/a', upstream: 'http://127.0.0.1:9', methods: ALL_METHODS },
  ])
  assert.deepEqual(warnings, [])
})

test('PX-01: methods before a prefix leave out all others', () => {
  const API_ROUTES = 'GET|HEAD /api/a=https://a.internal, POST  /api/b=https://b.internal'
  const { apiRoutes } = loadConfig({ ...VALID_ENV, API_ROUTES })
  assert.deepEqual(
    apiRoutes.map(({ prefix, methods }) => [prefix, methods]),
    [
      ['/api/a', ['GET', 'HEAD']],
      ['/api/b', ['POST']],
    ],
  )
})

test('API_ROUTES: plain http to another machine is a warning', () => {
  const { apiRoutes, warnings } = loadConfig({ ...VALID_ENV, API_ROUTES: '/api/a=http://c4nary_service:8080' })
  assert.deepEqual(apiRoutes, [{ prefix: '/api/a', upstream: 'http://c4nary_service:8080', methods: ALL_METHODS }])
  assert.match(warnings.join(), /^API_ROUTES: entry 1 has an upstream on plain http/)
  assert.ok(!warnings.join().includes('c4nary'))
})

testRefused('TRUSTED_PROXIES', 'CF-04', [
  ['c4nary', /IP address or a CIDR/],
  ['10.0.0.0/33', /IP address or a CIDR/],
  ['10.0.0.0/-1', /IP address or a CIDR/],
  ['10.0.0.0/8/8', /IP address or a CIDR/],
  ['10.0.0.0/', /IP address or a CIDR/],
  ['10.0.0/8', /IP address or a CIDR/],
  ['fd00::/129', /IP address or a CIDR/],
  ['fe80::1%eth0', /IP address or a CIDR/],
  ['10.0.0.1,loopback', /entry 2 /],
  ['0.0.0.0/0', /every address/],
  ['::/0', /every address/],
])

test('CF-04 TRUSTED_PROXIES keeps addresses and networks, each once', () => {
  const TRUSTED_PROXIES = '10.0.0.0/8, 192.168.0.1,fd00::/8,::1,10.0.0.0/8,10.0.0.1/32'
  const { trustedProxies } = loadConfig({ ...VALID_ENV, TRUSTED_PROXIES })
  assert.deepEqual(trustedProxies, ['10.0.0.0/8', '192.168.0.1', 'fd00::/8', '::1', '10.0.0.1/32'])
})
