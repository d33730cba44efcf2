import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Manifest, pick, render, scenarios } from './chart.ts'
import { getDeployment } from './pod.ts'
import { buildSetFileArgs, createSecretTexts } from './secret-files.ts'

interface Rule {
  readonly from?: readonly object[]
  readonly to?: readonly object[]
  readonly ports: readonly { readonly protocol: string; readonly port: number }[]
}

interface PolicySpec {
  readonly podSelector: { readonly matchLabels: object }
  readonly policyTypes: readonly string[]
  readonly ingress?: readonly Rule[]
  readonly egress: readonly Rule[]
}

const getPolicy = (manifests: readonly Manifest[], name = 'login-oten-bff'): PolicySpec =>
  pick(manifests, 'NetworkPolicy', name).spec as PolicySpec

const portsOf = (rules: readonly Rule[] = []) => rules.flatMap(({ ports }) => ports.map(({ port }) => port))
const peersOf = (rules: readonly Rule[] = [], port: number) =>
  rules.filter(({ ports }) => ports.some((one) => one.port === port)).flatMap(({ from = [] }) => from)

const TEST_POD = {
  podSelector: {
    matchLabels: {
      'app.kubernetes.io/name': 'oten-bff',
      'app.kubernetes.io/instance': 'login',
      'app.kubernetes.io/component': 'test',
    },
  },
}

for (const scenario of scenarios.filter((name) => name !== 'memory')) {
  test(`scenario ${scenario}: the policy covers the pods, both ways, and no rule is for all ports or for everyone`, async (t) => {
    const args = scenario === 'secret-from-files' ? buildSetFileArgs(t, createSecretTexts()) : []
    const manifests = await render({ scenario, args })
    const {
      podSelector,
      policyTypes,
      ingress = [],
      egress,
    } = getPolicy(manifests, pick(manifests, 'Deployment').metadata.name)
    assert.deepEqual(podSelector.matchLabels, getDeployment(manifests).selector.matchLabels)
    assert.deepEqual(policyTypes, ['Ingress', 'Egress'])
    // In a policy an empty list of peers or ports means all of them.
    for (const { from, ports } of ingress) assert.ok((from?.length ?? 0) > 0 && ports.length > 0)
    for (const { to, ports } of egress) assert.ok((to?.length ?? 0) > 0 && ports.length > 0)
    assert.equal(JSON.stringify(egress).includes('"0.0.0.0/0"}'), false, 'the metadata services of clouds are left out')
  })
}

test('nobody reaches the admin port unless he is named', async () => {
  assert.equal(portsOf(getPolicy(await render()).ingress).includes(8081), false)
  const from = [{ podSelector: { matchLabels: { app: 'proxy' } } }]
  const named = getPolicy(await render({ values: { networkPolicy: { admin: { from } } } }))
  assert.deepEqual(peersOf(named.ingress, 8081), from)
})

test('who scrapes metrics is let through to the admin port, beside those who are named', async () => {
  const { ingress } = getPolicy(await render({ scenario: 'monitoring' }))
  const namespaces = ['ingress-nginx', 'monitoring']
  assert.deepEqual(
    peersOf(ingress, 8081),
    namespaces.map((name) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } })),
  )
})

test('the main port is for the peers that are named, and for the pod of helm test', async () => {
  const { ingress } = getPolicy(await render({ scenario: 'ingress' }))
  assert.deepEqual(peersOf(ingress, 8080), [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } },
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ingress-nginx' } },
    },
    TEST_POD,
  ])
})

test('what goes out is names, Oten, the Redis, and the ports of the upstreams and the collector', async () => {
  const outOf = async (scenario: string, values = {}) => portsOf(getPolicy(await render({ scenario, values })).egress)
  assert.deepEqual(await outOf('minimal'), [53, 53, 443])
  assert.deepEqual(await outOf('minimal', { oten: { issuer: 'https://idp.acme.test:9443' } }), [53, 53, 9443])
  assert.deepEqual(await outOf('redis'), [53, 53, 443, 6379, 26379])
  assert.deepEqual(await outOf('sidecar'), [53, 53, 443, 6379, 9000])
  assert.deepEqual(await outOf('ingress'), [53, 53, 443, 443, 8443])
  assert.deepEqual(await outOf('monitoring'), [53, 53, 443, 4318])
  const apiRoutes = [{ prefix: '/api/a', upstream: 'http://a.shop.svc/v1' }]
  assert.deepEqual(
    await outOf('minimal', { apiRoutes, networkPolicy: { upstreams: { ports: [8080] } } }),
    [53, 53, 443, 80, 8080],
  )
})

test('a policy follows the ports of the values, that of the frontend too', async () => {
  const values = {
    listen: { port: 9080, adminPort: 9081 },
    frontend: { port: 9000 },
    networkPolicy: { admin: { from: [TEST_POD] } },
  }
  const manifests = await render({ scenario: 'sidecar', values })
  assert.deepEqual(portsOf(getPolicy(manifests).ingress), [9080, 9000, 9080, 9081])
  assert.deepEqual(portsOf(getPolicy(manifests, 'login-oten-bff-test').egress), [53, 53, 9080])
})

test('the pod of helm test reaches the service, and nothing else', async () => {
  const manifests = await render()
  const policy = getPolicy(manifests, 'login-oten-bff-test')
  const { metadata } = pick(manifests, 'Pod')
  for (const [label, value] of Object.entries(policy.podSelector.matchLabels))
    assert.equal(metadata.labels?.[label], value)
  assert.equal(policy.ingress, undefined)
  assert.deepEqual(portsOf(policy.egress), [53, 53, 8080])
  assert.deepEqual(policy.egress[1]?.to, [{ podSelector: getDeployment(manifests).selector }])
})

interface Service {
  readonly selector: Readonly<Record<string, string>>
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[]
}

const getService = (manifests: readonly Manifest[], name: string): Service =>
  pick(manifests, 'Service', name).spec as Service

test('no Service but the one of its own leads to the admin port, and that one exists only when it is wanted', async () => {
  const count = async (scenario: string) => (await render({ scenario })).filter(({ kind }) => kind === 'Service').length
  assert.equal(await count('minimal'), 1)
  const manifests = await render({ scenario: 'monitoring' })
  const main = getService(manifests, 'login-oten-bff')
  assert.deepEqual(
    main.ports.map(({ targetPort }) => targetPort),
    ['bff'],
  )
  const admin = getService(manifests, 'login-oten-bff-admin')
  assert.deepEqual(
    admin.ports.map(({ targetPort, port }) => [targetPort, port]),
    [['admin', 8081]],
  )
  assert.deepEqual(admin.selector, getDeployment(manifests).selector.matchLabels)
})

test('a monitor finds the Service of the admin port, and no other', async () => {
  const manifests = await render({ scenario: 'monitoring' })
  const { selector, endpoints } = pick(manifests, 'ServiceMonitor').spec as {
    selector: { matchLabels: Record<string, string> }
    endpoints: { port: string; path: string }[]
  }
  const found = manifests.filter(
    ({ kind, metadata }) =>
      kind === 'Service' &&
      Object.entries(selector.matchLabels).every(([label, value]) => metadata.labels?.[label] === value),
  )
  assert.deepEqual(
    found.map(({ metadata }) => metadata.name),
    ['login-oten-bff-admin'],
  )
  assert.deepEqual(endpoints, [{ port: 'admin', path: '/metrics', interval: '15s' }])
})

interface IngressSpec {
  readonly tls?: readonly { readonly hosts: readonly string[]; readonly secretName?: string }[]
  readonly rules: readonly {
    readonly host: string
    readonly http: {
      readonly paths: readonly {
        readonly path: string
        readonly backend: { readonly service: { readonly port: { readonly name: string } } }
      }[]
    }
  }[]
}

const getPaths = (manifests: readonly Manifest[]) =>
  (pick(manifests, 'Ingress').spec as IngressSpec).rules.flatMap(({ host, http }) =>
    http.paths.map(({ path, backend }) => [host, path, backend.service.port.name]),
  )

test('an Ingress sends /auth and, with APIs, /api to the service; beside a frontend all else goes there', async () => {
  const ingress = { enabled: true }
  assert.deepEqual(getPaths(await render({ values: { ingress } })), [['app.acme.test', '/auth', 'bff']])
  assert.deepEqual(getPaths(await render({ scenario: 'sidecar' })), [
    ['app.acme.test', '/auth', 'bff'],
    ['app.acme.test', '/api', 'bff'],
    ['app.acme.test', '/', 'frontend'],
  ])
})

test('the host and its certificate are those of publicUrl, without the port', async () => {
  const values = { publicUrl: 'https://login.acme.test:8443', ingress: { tls: { secretName: 'tls' } } }
  const spec = pick(await render({ scenario: 'ingress', values }), 'Ingress').spec as IngressSpec
  assert.equal(spec.rules[0]?.host, 'login.acme.test')
  assert.deepEqual(spec.tls, [{ hosts: ['login.acme.test'], secretName: 'tls' }])
})

test('a route behind a Gateway sends the same paths to the same ports', async () => {
  const apiRoutes = [{ prefix: '/api/a', upstream: 'https://a.internal' }]
  const manifests = await render({ scenario: 'gateway', values: { apiRoutes } })
  const { hostnames, rules } = pick(manifests, 'HTTPRoute').spec as {
    hostnames: string[]
    rules: { matches: { path: { value: string } }[]; backendRefs: { name: string; port: number }[] }[]
  }
  const { ports } = getService(manifests, 'login-oten-bff')
  const sent = rules.flatMap(({ matches, backendRefs }) =>
    matches.map(({ path }) => [path.value, ports.find(({ port }) => port === backendRefs[0]?.port)?.targetPort]),
  )
  assert.deepEqual(hostnames, ['app.acme.test'])
  assert.deepEqual(sent, [
    ['/auth', 'bff'],
    ['/api', 'bff'],
    ['/', 'frontend'],
  ])
})
