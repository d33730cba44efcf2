import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sendPlain } from '../flows/steps.ts'
import { createWorld } from '../support/world.ts'

test('MH-17: no association file of an app is served here; the paths of both platforms are 404', async (t) => {
  const world = await createWorld(t)
  for (const path of ['/.well-known/apple-app-site-association', '/.well-known/assetlinks.json']) {
    const answer = await sendPlain(world, path)
    assert.equal(answer.status, 404, path)
    assert.equal(answer.json().error, 'not_found')
  }
})
