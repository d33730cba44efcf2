import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertDocumented, type Described, fitsSchema, readOperations } from './support/documented.ts'
import { buildOpenapi } from './support/openapi-document.ts'
import { createWorld } from './support/world.ts'

const committed = readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8')

test('openapi.yaml is what the routes say (npm run snapshots writes it)', async () => {
  assert.equal(await buildOpenapi(), committed)
})

test('openapi.yaml describes every operation with an id, a summary and its failures in the one shape', () => {
  const operations = readOperations()
  assert.ok(operations.length >= 10)
  for (const { operationId, summary, responses } of operations) {
    assert.ok(typeof operationId === 'string' && typeof summary === 'string')
    assert.ok(Object.hasOwn(responses as object, '500'), `${operationId} does not say what 500 looks like`)
  }
})

test('GET /auth/openapi.yaml serves the committed document, cacheable', async (t) => {
  const world = await createWorld(t)
  const answer = await world.browser().request('/auth/openapi.yaml')
  assert.equal(answer.status, 200)
  assert.equal(answer.text, committed)
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=300')
})

test('every answer that a flow test gets is held against openapi.yaml: another status, type or member is seen', () => {
  const seen = { status: 200, contentType: 'application/json; charset=utf-8', text: '{"ended":1}' }
  assertDocumented('DELETE', '/auth/sessions', seen)
  const others = [{ status: 202 }, { contentType: 'text/html' }, { text: '{"ended":"1"}' }]
  for (const other of others) assert.throws(() => assertDocumented('DELETE', '/auth/sessions', { ...seen, ...other }))
  const refused = { status: 401, contentType: 'application/json', text: '{"error":"e","error_description":"d"}' }
  assert.throws(() => assertDocumented('DELETE', '/auth/sessions', refused), /does not describe/)
})

test('openapi.yaml has an example for every operation, and each fits its schema', () => {
  const faults: string[] = []
  const hold = (what: string, { schema, example }: Described): boolean => {
    if (example === undefined) return false
    if (!fitsSchema(schema ?? {}, example)) faults.push(`${what}: ${JSON.stringify(example)}`)
    return true
  }
  for (const { operationId, parameters = [], shared, requestBody, responses } of readOperations()) {
    const held = [
      ...[...parameters, ...shared].map((parameter) => hold(`${operationId} ${parameter.name}`, parameter)),
      ...Object.entries(requestBody?.content ?? {}).map(([type, body]) => hold(`${operationId} ${type}`, body)),
      ...Object.entries(responses).flatMap(([status, { content = {}, headers = {} }]) =>
        [...Object.values(content), ...Object.values(headers)].map((body) => hold(`${operationId} ${status}`, body)),
      ),
    ]
    if (!held.some(Boolean)) faults.push(`${operationId} has no example`)
  }
  assert.deepEqual(faults, [])
})
