import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawRandom } from '../src/random.ts'

test('ten thousand draws of all sizes are of the asked length, and no two are alike', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 10_000; n++) {
    const octets = 12 + (n % 40)
    const drawn = drawRandom(octets)
    assert.equal(drawn.length, octets)
    seen.add(drawn.subarray(0, 12).toString('hex'))
  }
  assert.equal(seen.size, 10_000)
})

test('every bit is set about half of the time, over many fillings of the pool', () => {
  const counts = Array.from({ length: 256 }, () => 0)
  const draws = 5_000
  for (let n = 0; n < draws; n++) {
    drawRandom(32).forEach((octet, at) => {
      for (let bit = 0; bit < 8; bit++) if ((octet >> bit) & 1) counts[at * 8 + bit] = (counts[at * 8 + bit] ?? 0) + 1
    })
  }
  // Seven standard deviations: never by chance, at once where octets of the pool are given out as zeros.
  for (const count of counts) assert.ok(Math.abs(count - draws / 2) < 7 * Math.sqrt(draws / 4), `${count}`)
})

test('what was drawn stays as it is, and is not what others get', () => {
  const first = drawRandom(16)
  const before = first.toString('hex')
  const others = Array.from({ length: 1000 }, () => drawRandom(16))
  assert.equal(first.toString('hex'), before)
  first.fill(7)
  assert.ok(others.every((other) => !other.equals(first)))
})

test('more than the pool holds is refused, and nothing is given out twice for it', () => {
  assert.throws(() => drawRandom(4097), RangeError)
  assert.equal(drawRandom(4096).length, 4096)
})
