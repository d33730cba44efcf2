import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config.ts'
import { render, scenarios } from './chart.ts'
import { getContainer, getDeployment, getEnvironment } from './pod.ts'
import { buildSetFileArgs, createSecretTexts, FILES_OF_SCENARIO } from './secret-files.ts'

const texts = createSecretTexts()

for (const scenario of scenarios) {
  test(`scenario ${scenario}: the service takes what the pod gives it`, async (t) => {
    const args = scenario === 'secret-from-files' ? buildSetFileArgs(t, texts) : []
    const manifests = await render({ scenario, args })
    const pod = getDeployment(manifests).template.spec
    const { volumeMounts = [] } = getContainer(pod, 'bff')
    /** As the kubelet lays it out: a file for each item of the volume, and no other. */
    const readMounted = (path: string): string => {
      const mount = volumeMounts.find(({ mountPath }) => mountPath === dirname(path))
      const volume = pod.volumes.find(({ name }) => name === mount?.name)
      const key = volume?.secret?.items.find((item) => item.path === basename(path))?.key
      const text = key === undefined ? undefined : texts[key]
      if (text === undefined) throw new Error(`${path} is not mounted`)
      return `${text}\n`
    }
    const config = loadConfig(getEnvironment(manifests), readMounted)
    assert.equal(config.idp.clientId, '6f1a7c5e-0c1e-4a55-9d8e-3f2b8f6f7c11')
    // A warning would greet every operator who followed the example; the two are what the scenario is about.
    const expected = {
      memory: [/^SESSION_STORE: is memory:/],
      sidecar: [/^API_ROUTES: entry 1 has an upstream on plain http/],
    }
    const warnings = Object.entries(expected).find(([name]) => name === scenario)?.[1] ?? []
    assert.equal(config.warnings.length, warnings.length, config.warnings.join('\n'))
    for (const [index, warning] of warnings.entries()) assert.match(config.warnings[index] ?? '', warning)
  })
}

test('every secret that is asked for is used: without any one of them the service does not start', async (t) => {
  const manifests = await render({ scenario: 'secret-from-files', args: buildSetFileArgs(t, texts) })
  const env = getEnvironment(manifests)
  for (const missing of FILES_OF_SCENARIO.filter((name) => name !== 'ADMIN_TOKEN' && name !== 'SESSION_STORE')) {
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => name !== `${missing}_FILE`))
    assert.throws(() => loadConfig(rest, (path) => texts[basename(path)] ?? ''), { message: new RegExp(missing) })
  }
})

test("the chart's defaults are the service's own, but for where it listens and stores", async () => {
  const env = getEnvironment(await render())
  const own = Object.entries(Environment.properties).flatMap(([name, rule]) =>
    'default' in rule ? [[name, String(rule.default)] as const] : [],
  )
  const differing = own.filter(([name, preset]) => (env[name] ?? '') !== preset && env[name] !== undefined)
  assert.deepEqual(differing.map(([name]) => name).sort(), ['ADMIN_HOST', 'SESSION_STORE'])
})

test('every variable of the service can be set by a value, but for the one that is for development', async (t) => {
  const all = await Promise.all(
    scenarios.map(async (scenario) => {
      const args = scenario === 'secret-from-files' ? buildSetFileArgs(t, texts) : []
      return Object.keys(getEnvironment(await render({ scenario, args })))
    }),
  )
  const known = new Set(all.flat().map((name) => name.replace(/_FILE$/, '')))
  const missing = Object.keys(Environment.properties).filter((name) => !known.has(name))
  assert.deepEqual(missing, ['ALLOW_INSECURE_ISSUER'])
})

test('values arrive as they are written: quotes, commas, backslashes, numbers', async () => {
  const scope = 'openid profile "x" \\d'.replace(/["\\]/g, '!')
  const values = {
    oten: { scope, clientId: `a'b#c: d`.replace(/ /g, '') },
    extraEnv: { QUOTED: `a "b" 'c' \\d {{ .Values }} # e: f`, NUMBER: '0123', YES: 'yes' },
    rateLimitPerMinute: 1_000_000,
  }
  const env = getEnvironment(await render({ values }))
  assert.equal(env.OTEN_SCOPE, scope)
  assert.equal(env.OTEN_CLIENT_ID, `a'b#c:d`)
  assert.equal(env.QUOTED, values.extraEnv.QUOTED)
  assert.equal(env.NUMBER, '0123')
  assert.equal(env.YES, 'yes')
  assert.equal(env.RATE_LIMIT_PER_MINUTE, '1000000')
})
