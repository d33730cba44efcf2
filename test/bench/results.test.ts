import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { drawPicture, PICTURE } from '../../bench/picture.ts'
import type { Results } from '../../bench/results.ts'
import { judge, RATIOS_MIN } from '../../bench/targets.ts'

const results = JSON.parse(readFileSync(new URL('../../bench/results.json', import.meta.url), 'utf8')) as Results

test('the picture shows what bench/results.json says: npm run bench writes both', () => {
  assert.equal(readFileSync(PICTURE, 'utf8'), drawPicture(results))
})

test('bench/results.json is of a whole run: it has a figure for every target', () => {
  const missing = judge(results).filter(({ value }) => value === undefined)
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  )
})

test('the picture has a bar as long as its ratio, a mark for the least, and says all of it in words', () => {
  const [known = ''] = Object.keys(RATIOS_MIN)
  const picture = drawPicture({
    results: [
      { case: known, ratio: 0.5 },
      { case: 'proxy <of> "a" & b', ratio: 0.25 },
    ],
  })
  const widths = [...picture.matchAll(/<rect class="bar" [^>]*width="(\d+)"/g)].map(([, width]) => Number(width))
  assert.equal(widths.length, 2)
  assert.ok(Math.abs((widths[0] ?? 0) - 2 * (widths[1] ?? 0)) <= 1, `${widths}`)
  const marks = [...picture.matchAll(/<line class="target" [^>]*y1="(\d+)"/g)]
  assert.equal(marks.length, 2, 'one for the case that has a target, one for the legend')
  assert.match(picture, /role="img" aria-labelledby="title summary"/)
  assert.match(picture, new RegExp(`<desc id="summary">${known}: 0\\.50; proxy &lt;of> "a" &amp; b: 0\\.25</desc>`))
  assert.match(picture, /prefers-color-scheme: dark/)
})
