import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pick, render, scenarios } from './chart.ts'
import { getContainer, getDeployment, getPods } from './pod.ts'
import { buildSetFileArgs, createSecretTexts } from './secret-files.ts'

/** The longest that the service takes to end after SIGTERM. */
const STOP_S = 12

for (const scenario of scenarios) {
  test(`scenario ${scenario}: no pod may more than it must`, async (t) => {
    const args = scenario === 'secret-from-files' ? buildSetFileArgs(t, createSecretTexts()) : []
    const manifests = await render({ scenario, args })
    const pods = getPods(manifests)
    assert.equal(pods.length, 2)
    for (const pod of pods) {
      assert.equal(pod.automountServiceAccountToken, false)
      assert.equal(pod.enableServiceLinks, false)
      assert.equal(pod.securityContext.runAsNonRoot, true)
      assert.deepEqual(pod.securityContext.seccompProfile, { type: 'RuntimeDefault' })
      for (const { securityContext, resources } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        const { runAsUser, ...rest } = securityContext ?? {}
        assert.notEqual(runAsUser, 0)
        assert.deepEqual(rest, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        assert.ok(resources?.requests && resources.limits)
      }
    }
    for (const account of manifests.filter(({ kind }) => kind === 'ServiceAccount')) {
      assert.equal(account.automountServiceAccountToken, false)
    }
  })

  test(`scenario ${scenario}: pods leave the Service first, and have the time to finish`, async (t) => {
    const args = scenario === 'secret-from-files' ? buildSetFileArgs(t, createSecretTexts()) : []
    const pod = getDeployment(await render({ scenario, args })).template.spec
    for (const { lifecycle } of pod.containers) {
      const seconds = lifecycle?.preStop?.sleep?.seconds ?? 0
      assert.ok(seconds >= 1)
      assert.ok(pod.terminationGracePeriodSeconds >= seconds + STOP_S)
    }
  })
}

test('the time for a stop grows with the wait before it', async () => {
  const pod = getDeployment(await render({ values: { drain: { preStopS: 40 } } })).template.spec
  assert.equal(getContainer(pod, 'bff').lifecycle?.preStop?.sleep?.seconds, 40)
  assert.ok(pod.terminationGracePeriodSeconds >= 40 + STOP_S)
})

test('the three probes ask the admin port: liveness what the process says of itself alone', async () => {
  const { startupProbe, livenessProbe, readinessProbe, ports } = getContainer(
    getDeployment(await render()).template.spec,
    'bff',
  )
  assert.deepEqual(startupProbe?.httpGet, { path: '/health/live', port: 'admin' })
  assert.deepEqual(livenessProbe?.httpGet, { path: '/health/live', port: 'admin' })
  assert.deepEqual(readinessProbe?.httpGet, { path: '/health/ready', port: 'admin' })
  assert.deepEqual(
    ports?.map(({ name, containerPort }) => [name, containerPort]),
    [
      ['bff', 8080],
      ['admin', 8081],
    ],
  )
})

test('secrets are files in a folder, so that changes arrive; only those that are needed, unreadable to others', async () => {
  const pod = getDeployment(await render({ values: { adminApi: { enabled: true } } })).template.spec
  const { volumeMounts, env } = getContainer(pod, 'bff')
  const mount = volumeMounts?.find(({ name }) => name === 'secrets')
  assert.deepEqual(mount, { name: 'secrets', mountPath: '/etc/oten-bff/secrets', readOnly: true }) // No subPath.
  const secret = pod.volumes.find(({ name }) => name === 'secrets')?.secret
  const needed = ['SESSION_KEYS', 'JAR_KEYS', 'OTEN_CLIENT_SECRET', 'ADMIN_TOKEN']
  assert.deepEqual(
    secret?.items,
    needed.map((key) => ({ key, path: key })),
  )
  assert.deepEqual(
    env,
    needed.map((name) => ({ name: `${name}_FILE`, value: `/etc/oten-bff/secrets/${name}` })),
  )
  assert.equal((secret?.defaultMode ?? 0o777) & 0o027, 0)
})

test('an embedded store is held by one process at a time, on a volume that outlives it', async () => {
  const manifests = await render()
  const { replicas, strategy, template } = getDeployment(manifests)
  assert.equal(replicas, 1)
  assert.equal(strategy.type, 'Recreate')
  const claim = template.spec.volumes.find(({ name }) => name === 'sessions')?.persistentVolumeClaim
  assert.equal(claim?.claimName, pick(manifests, 'PersistentVolumeClaim').metadata.name)
  const mounts = getContainer(template.spec, 'bff').volumeMounts ?? []
  assert.equal(mounts.find(({ name }) => name === 'sessions')?.mountPath, '/data')
})

test('an existing claim is used, and none is made', async () => {
  const manifests = await render({ values: { sessionStore: { embedded: { existingClaim: 'mine' } } } })
  assert.equal(
    manifests.some(({ kind }) => kind === 'PersistentVolumeClaim'),
    false,
  )
  const volume = getDeployment(manifests).template.spec.volumes.find(({ name }) => name === 'sessions')
  assert.equal(volume?.persistentVolumeClaim?.claimName, 'mine')
})

test('on a Redis, replicas are replaced one after the other, are spread, and are not all evicted', async () => {
  const manifests = await render({ scenario: 'sidecar' })
  const { replicas, strategy, selector, template } = getDeployment(manifests)
  assert.equal(replicas, 2)
  assert.deepEqual(strategy, { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } })
  const spread = template.spec.topologySpreadConstraints ?? []
  assert.deepEqual(
    spread.map(({ topologyKey }) => topologyKey),
    ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'],
  )
  for (const { labelSelector } of spread) assert.deepEqual(labelSelector.matchLabels, selector.matchLabels)
  const budget = pick(manifests, 'PodDisruptionBudget').spec
  assert.deepEqual(budget, { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow', selector })
})

test('with autoscaling the Deployment says no number, or each upgrade would set it back', async () => {
  const manifests = await render({ scenario: 'redis' })
  assert.equal(getDeployment(manifests).replicas, undefined)
  assert.equal(pick(manifests, 'HorizontalPodAutoscaler').spec !== undefined, true)
})

test('a digest names the image, instead of a tag; without either it is the appVersion', async () => {
  const imageOf = async (values: object, scenario = 'minimal') =>
    getContainer(getDeployment(await render({ values, scenario })).template.spec, 'bff').image
  assert.equal(await imageOf({}), 'oten-bff:0.1.0')
  assert.equal(await imageOf({ image: { tag: '1.2.3' } }), 'oten-bff:1.2.3')
  const digest = `sha256:${'ab'.repeat(32)}`
  assert.equal(await imageOf({ image: { tag: '1.2.3', digest } }), `oten-bff@${digest}`)
})

test('a frontend beside the service gets neither its secrets nor its configuration', async () => {
  const values = { caBundle: { configMap: 'ca' } }
  const pod = getDeployment(await render({ scenario: 'sidecar', values })).template.spec
  const { env, envFrom, volumeMounts = [], securityContext } = getContainer(pod, 'frontend')
  assert.deepEqual(
    env?.map(({ name }) => name),
    ['FEATURES', 'NODE_ENV'],
  )
  assert.equal(envFrom, undefined)
  assert.deepEqual(
    volumeMounts.map(({ mountPath }) => mountPath),
    ['/tmp', '/var/cache/nginx'],
  )
  const mounted = pod.volumes.filter(({ name }) => volumeMounts.some((mount) => mount.name === name))
  assert.ok(mounted.every(({ emptyDir }) => emptyDir !== undefined))
  assert.equal(securityContext?.runAsUser, 101)
})
