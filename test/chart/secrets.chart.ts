import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pick, render } from './chart.ts'
import { getData, getDeployment } from './pod.ts'
import { buildSetFileArgs, createSecretTexts, FILES_OF_SCENARIO, type SecretTexts } from './secret-files.ts'

const texts = createSecretTexts()

test("the chart's Secret holds the files as they are, and nothing else shows any of them", async (t) => {
  const args = buildSetFileArgs(t, texts)
  const manifests = await render({ scenario: 'secret-from-files', args })
  const data = getData(pick(manifests, 'Secret'))
  assert.deepEqual(Object.keys(data).sort(), [...FILES_OF_SCENARIO].sort())
  for (const name of FILES_OF_SCENARIO) {
    assert.equal(Buffer.from(data[name] ?? '', 'base64').toString(), `${texts[name]}\n`)
  }
  const rest = JSON.stringify(manifests.filter(({ kind }) => kind !== 'Secret'))
  for (const text of Object.values(texts)) {
    const forms = [
      text,
      JSON.stringify(text).slice(1, -1),
      Buffer.from(text).toString('base64'),
      Buffer.from(text).toString('base64url'),
    ]
    for (const form of forms) assert.ok(!rest.includes(form))
  }
})

test('beside an existing Secret the chart makes none', async () => {
  assert.equal(
    (await render()).some(({ kind }) => kind === 'Secret'),
    false,
  )
})

const annotationsOf = async (rendering: Parameters<typeof render>[0]) =>
  getDeployment(await render(rendering)).template.metadata.annotations ?? {}

test('a change of the configuration rolls the pods, and what configures nothing does not', async () => {
  const before = await annotationsOf({})
  assert.match(before['checksum/config'] ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(await annotationsOf({}), before)
  assert.notDeepEqual(await annotationsOf({ values: { logLevel: 'debug' } }), before)
  assert.notDeepEqual(await annotationsOf({ values: { extraEnv: { NODE_OPTIONS: '--trace-warnings' } } }), before)
  assert.deepEqual(await annotationsOf({ values: { service: { annotations: { a: 'b' } } } }), before)
})

test('of the secrets only the address of the store rolls the pods: the others are read again', async (t) => {
  const annotate = (changed: SecretTexts) =>
    annotationsOf({ scenario: 'secret-from-files', args: buildSetFileArgs(t, { ...texts, ...changed }) })
  const before = await annotate({})
  const other = createSecretTexts()
  for (const name of FILES_OF_SCENARIO) {
    const after = await annotate({
      [name]: name === 'OTEN_CLIENT_SECRET' ? 'another-client-secret-of-thirty-two-octets' : (other[name] ?? ''),
    })
    if (name === 'SESSION_STORE') assert.notDeepEqual(after, before)
    else assert.deepEqual(after, before, name)
  }
})
