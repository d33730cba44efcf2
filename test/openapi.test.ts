import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { buildOpenapi } from './support/snapshots.ts'
import { createWorld } from './support/world.ts'

const committed = readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8')

test('openapi.yaml is what the routes say (npm run snapshots writes it)', async () => {
  assert.equal(await buildOpenapi(), committed)
})

test('openapi.yaml describes every operation with an id, a summary and its failures in the one shape', () => {
  const { paths } = parse(committed) as { paths: Record<string, Record<string, Record<string, unknown>>> }
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
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
