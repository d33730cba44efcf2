import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  chartFolder,
  parseManifests,
  pick,
  type Rendering,
  render,
  renderText,
  run,
  scenarios,
  valuesFile,
} from './chart.ts'
import { assertGolden } from './golden.ts'
import { buildSetFileArgs, createSecretTexts } from './secret-files.ts'
import { findTools } from './tools.ts'

const { helm, validate, crd } = findTools()

/** The one scenario that a values file alone does not make. */
const buildArgs = (t: TestContext, scenario: string): string[] =>
  scenario === 'secret-from-files' ? buildSetFileArgs(t, createSecretTexts()) : []

const check = (manifests: string) => run(validate, [crd], manifests)

for (const scenario of scenarios) {
  test(`scenario ${scenario}: helm lint --strict passes`, async (t) => {
    const { code, stdout, stderr } = await run(helm, [
      ...['lint', '--strict', chartFolder, '-f', valuesFile(scenario)],
      ...buildArgs(t, scenario),
    ])
    assert.equal(code, 0, stdout + stderr)
    assert.doesNotMatch(stdout + stderr, /funcMap fail/) // Lint only notes what a template refuses.
  })

  test(`scenario ${scenario}: a cluster takes every object, and the text is the expected one`, async (t) => {
    const text = await renderText({ scenario, args: buildArgs(t, scenario) })
    const { code, stdout, stderr } = await check(text)
    assert.equal(code, 0, stdout)
    assert.equal(stderr.trim(), `${parseManifests(text).length} objects, 0 faults`)
    assertGolden(`${scenario}.yaml`, text)
  })

  test(`scenario ${scenario}: Helm 3 renders the same objects`, async (t) => {
    const args = buildArgs(t, scenario)
    const sort = (manifests: Awaited<ReturnType<typeof render>>) =>
      manifests.toSorted((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`))
    assert.deepEqual(
      sort(await render({ scenario, args, tool: 'helm3' })),
      sort(await render({ scenario, args, tool: 'helm' })),
    )
  })
}

test('every golden file belongs to a scenario', () => {
  const golden = globSync('golden/*.yaml', { cwd: import.meta.dirname }).map((path) => basename(path, '.yaml'))
  assert.deepEqual(golden.sort(), [...scenarios])
})

/** A change to a rendered text, and what the check must say of it. */
const SPOILT: readonly (readonly [
  what: string,
  change: (text: string) => string,
  says: RegExp,
  rendering?: Rendering,
])[] = [
  [
    'an unknown field',
    (text) => text.replace('revisionHistoryLimit:', 'revisionHistoryLimits:'),
    /unknown field "spec.revisionHistoryLimits"/,
  ],
  [
    'a field given twice',
    (text) => text.replace('  revisionHistoryLimit: 5', '  revisionHistoryLimit: 5\n  revisionHistoryLimit: 5'),
    /already set/,
  ],
  ['a wrong type', (text) => text.replace('revisionHistoryLimit: 5', 'revisionHistoryLimit: many'), /not decoded/],
  [
    'a selector that misses its own pods',
    (text) =>
      text.replace(/(matchLabels:\n\s+app.kubernetes.io\/name:) oten-bff(?=[\s\S]*\n {2}template:)/g, '$1 other'),
    /selector/,
  ],
  ['a name that is none', (text) => text.replaceAll('name: login-oten-bff', 'name: Login_BFF'), /RFC 1123/],
  [
    'a port that no container has',
    (text) => text.replace('port: admin }', 'port: a-name-that-is-too-long }'),
    /must be no more than 15 characters/,
  ],
  [
    'a pod that may run as root',
    (text) => text.replaceAll('runAsNonRoot: true', 'runAsNonRoot: false'),
    /not restricted: runAsNonRoot != true/,
  ],
  [
    'a container that keeps capabilities',
    (text) => text.replace('drop: [ALL]', 'drop: [NET_RAW]'),
    /not restricted: unrestricted capabilities/,
  ],
  ['a kind that nobody checks', (text) => text.replace('kind: ConfigMap', 'kind: LimitRange'), /add one|not decoded/],
  [
    'a route with an unknown field',
    (text) => text.replace('backendRefs:', 'backendRef:'),
    /unknown field/,
    { scenario: 'gateway' },
  ],
  [
    'a route that breaks a rule of its schema',
    (text) => text.replace('value: /auth }', 'value: //auth }'),
    /must not contain '\/\/'/,
    { scenario: 'gateway' },
  ],
  [
    'a monitor with an unknown field',
    (text) => text.replace('interval:', 'intervals:'),
    /unknown field/,
    { scenario: 'monitoring' },
  ],
]

for (const [what, change, says, rendering] of SPOILT) {
  test(`the check of the objects notices ${what}`, async () => {
    const text = await renderText(rendering)
    const spoilt = change(text)
    assert.notEqual(spoilt, text)
    const { code, stdout } = await check(spoilt)
    assert.equal(code, 1)
    assert.match(stdout, says)
  })
}

test("two releases, in one namespace or under other names, do not get in each other's way", async () => {
  const one = await render({ scenario: 'sidecar' })
  const other = await render({ scenario: 'sidecar', values: { fullnameOverride: 'second', nameOverride: 'second' } })
  const names = (manifests: typeof one) => manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  assert.deepEqual(
    names(one).filter((name) => names(other).includes(name)),
    [],
  )
  assert.notDeepEqual(pick(one, 'Deployment').spec, pick(other, 'Deployment').spec)
})
