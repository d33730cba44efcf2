import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'

const FOLDER = new URL('../../examples/forward-auth/', import.meta.url)

const COPIED = ['X-Auth-Subject', 'X-Auth-Email', 'Authorization']

const read = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8')

/** A parsed file, whose members a test reads without a type. */
interface Node {
  readonly [name: string]: Node
  readonly [index: number]: Node
}

const json = (node: unknown): unknown => JSON.parse(JSON.stringify(node ?? null))

test('the README of the examples names each of them', () => {
  const readme = read('README.md')
  for (const file of readdirSync(FOLDER)) if (file !== 'README.md') assert.ok(readme.includes(`](${file})`), file)
})

test('each example says the three addresses as a reader would look for them', () => {
  for (const file of ['nginx.conf', 'Caddyfile', 'haproxy.cfg', 'traefik.yaml']) {
    for (const place of ['127.0.0.1:8080', '127.0.0.1:8081', '127.0.0.1:3000'])
      assert.ok(read(file).includes(place), file)
  }
})

test('Caddyfile: what is copied is taken out before, since some versions leave the old where the new is empty', () => {
  const [before = '', after] = read('Caddyfile').split('forward_auth 127.0.0.1:8081')
  for (const name of COPIED) {
    assert.match(String(after), new RegExp(`copy_headers .*\\b${name}\\b`))
    // Except `Authorization`: it may be the credential that is asked about, and the answer always has one.
    if (name !== 'Authorization') assert.ok(before.includes(`request_header -${name}\n`), name)
  }
})

test('traefik.yaml: every way to the app asks first, and copies what the answer says', () => {
  const { routers, middlewares, services } = (parse(read('traefik.yaml')) as Node).http ?? assert.fail()
  assert.deepEqual(json(middlewares?.verify), {
    forwardAuth: {
      address: 'http://127.0.0.1:8081/auth/verify',
      trustForwardHeader: false,
      authRequestHeaders: ['Cookie', 'Authorization'],
      authResponseHeaders: COPIED,
    },
  })
  for (const router of Object.values(routers ?? {})) {
    const isOpen = String(router.rule).endsWith('PathPrefix(`/auth/`)')
    assert.equal(String(router.service), isOpen ? 'bff' : 'app')
    assert.deepEqual(json(router.middlewares), isOpen ? null : ['no-foreign-names', 'verify'])
  }
  assert.deepEqual(json(services?.bff?.loadBalancer?.servers), [{ url: 'http://127.0.0.1:8080' }])
  assert.deepEqual(json(services?.app?.loadBalancer?.servers), [{ url: 'http://127.0.0.1:3000' }])
  const taken = json(middlewares?.['no-foreign-names']?.headers?.customRequestHeaders) as Record<string, unknown>
  for (const name of ['Subject', 'Email']) {
    for (const one of '-_') for (const two of '-_') assert.equal(taken[`X${one}Auth${two}${name}`], '')
  }
})

test('envoy.yaml: ext_authz stands before every route but the sign-in, fails closed and shows the client no token', () => {
  const { listeners, clusters } = (parse(read('envoy.yaml'), { merge: true }) as Node).static_resources ?? assert.fail()
  const manager = listeners?.[0]?.filter_chains?.[0]?.filters?.[0]?.typed_config ?? assert.fail()
  const filters = Object.values(manager.http_filters ?? {})
  const names = filters.map(({ name }) => String(name).replace('envoy.filters.http.', ''))
  assert.deepEqual(names, ['header_mutation', 'ext_authz', 'router'])

  const removed = json(filters[0]?.typed_config?.mutations?.request_mutations)
  assert.deepEqual(removed, [{ remove: 'x-auth-subject' }, { remove: 'x-auth-email' }])
  assert.equal(json(manager.common_http_protocol_options?.headers_with_underscores_action), 'DROP_HEADER')

  const check = filters[1]?.typed_config ?? assert.fail()
  assert.equal(json(check.failure_mode_allow), false)
  assert.equal(json(check.failure_mode_allow_header_add), null)
  assert.equal(json(check.status_on_error?.code), 'ServiceUnavailable')
  const exact = (list: Node | undefined): unknown =>
    Object.values(list?.patterns ?? {}).map((pattern) => json(pattern.exact))
  assert.deepEqual(exact(check.allowed_headers), ['cookie', 'authorization'])
  const { server_uri: server, path_prefix: prefix, authorization_response: response } = check.http_service ?? {}
  assert.deepEqual([json(prefix), json(server?.cluster)], ['/auth/verify', 'bff_inner'])
  const copied = COPIED.map((name) => name.toLowerCase())
  assert.deepEqual(exact(response?.allowed_upstream_headers), copied)
  assert.deepEqual(exact(response?.allowed_client_headers), ['cache-control', 'content-type'])

  const routes = Object.values(manager.route_config?.virtual_hosts?.[0]?.routes ?? {})
  const told = routes.map(({ match, direct_response: direct, route, typed_per_filter_config: own }) => [
    json(match?.path_separated_prefix ?? match?.prefix),
    json(direct?.status ?? route?.cluster),
    json(own?.['envoy.filters.http.ext_authz']?.disabled),
  ])
  assert.deepEqual(told, [
    ['/auth/verify', 404, true],
    ['/auth/', 'bff', true],
    ['/', 'app', null],
  ])
  const ports = Object.values(clusters ?? {}).map(({ name, load_assignment: at }) => {
    const { socket_address: address } = at?.endpoints?.[0]?.lb_endpoints?.[0]?.endpoint?.address ?? {}
    return [json(name), json(address?.address), json(address?.port_value)]
  })
  assert.deepEqual(ports, [
    ['bff', '127.0.0.1', 8080],
    ['bff_inner', '127.0.0.1', 8081],
    ['app', '127.0.0.1', 3000],
  ])
})

test('kubernetes-ingress.yaml: the app is asked about, the inner port is fenced and no Ingress leads to it', () => {
  const text = read('kubernetes-ingress.yaml')
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Node)
  const byKind = (kind: string): Node[] => documents.filter((document) => json(document.kind) === kind)

  const ingresses = byKind('Ingress').map(({ metadata, spec }) => {
    const paths = Object.values(spec?.rules?.[0]?.http?.paths ?? {})
    const leads = paths.map(({ path, backend }) => [path, backend?.service?.name, backend?.service?.port?.number])
    const annotations = Object.entries(metadata?.annotations ?? {}).map(([name, value]) => {
      return [name.replace('nginx.ingress.kubernetes.io/', ''), value]
    })
    return { leads: json(leads), annotations: Object.fromEntries(annotations) as unknown }
  })
  assert.deepEqual(ingresses, [
    { leads: [['/auth/', 'oten-bff', 8080]], annotations: { 'proxy-buffering': 'off' } },
    {
      leads: [['/', 'app', 3000]],
      annotations: {
        'auth-url': 'http://oten-bff-inner.default.svc.cluster.local:8081/auth/verify',
        'auth-response-headers': COPIED.join(),
        'auth-signin': 'https://app.example.com/auth/start?return_to=$escaped_request_uri',
        'auth-signin-redirect-param': 'return_to',
      },
    },
  ])

  const services = byKind('Service').map(({ metadata, spec }) => [metadata?.name, spec?.type, spec?.ports?.[0]?.port])
  assert.deepEqual(json(services), [
    ['oten-bff', null, 8080],
    ['oten-bff-inner', null, 8081],
  ])
  const [fence] = byKind('NetworkPolicy')
  assert.deepEqual(json(fence?.spec?.podSelector), { matchLabels: { app: 'oten-bff' } })
  assert.equal(Object.values(fence?.spec?.ingress ?? {}).length, 1)
  assert.deepEqual(json(fence?.spec?.ingress?.[0]?.from), [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } },
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
    },
  ])
  assert.match(text, /ADMIN_HOST=0\.0\.0\.0/)
})
