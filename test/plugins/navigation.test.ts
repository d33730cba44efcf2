import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNavigation } from '../../src/plugins/navigation.ts'

const asks = (headers: Record<string, string>): boolean => isNavigation({ headers })

test('Sec-Fetch-Mode alone decides where a browser sends it', () => {
  for (const accept of ['text/html', 'application/json', '*/*']) {
    assert.equal(asks({ 'sec-fetch-mode': 'navigate', accept }), true)
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket', 'nested-navigate', 'NAVIGATE', '']) {
      assert.equal(asks({ 'sec-fetch-mode': mode, accept }), false, mode)
    }
  }
})

/** Accept, and whether it prefers JSON. */
const ACCEPT: readonly (readonly [accept: string, json: boolean])[] = [
  ['', false],
  ['*/*', false],
  ['text/html', false],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8', false],
  ['image/avif,image/webp,*/*;q=0.5', false],
  ['application/json', true],
  ['APPLICATION/JSON', true],
  ['application/json; charset=utf-8', true],
  ['application/json, text/plain, */*', true], // What axios sends.
  ['application/json, */*;q=0.8', true],
  ['application/json;q=0.9, text/*;q=0.5', true],
  ['application/json;q=0.5, text/*;q=0.9', false],
  ['application/json;q=0.1, */*;q=0.8', false],
  ['application/json;q=0.5, */*;q=0.5', true],
  ['text/html;q=0.5, application/json', true],
  ['text/html, application/json;q=0.5', false],
  ['text/html, application/json', false],
  ['application/json, text/html', false],
  ['application/json, text/html;q=0, */*;q=1', true],
  ['application/json;q=0', false],
  ['application/json;q=0, */*', false],
  ['application/json ; Q=0.7 , text/html ; q=0.2', true],
  ['application/json;q=x', false],
  ['application/xml', false],
  ['application/jsonp', false],
  [',;,', false],
]

test('without Sec-Fetch-Mode it is a navigation unless Accept prefers application/json', () => {
  assert.equal(asks({}), true)
  for (const [accept, json] of ACCEPT) assert.equal(asks({ accept }), !json, accept)
})
