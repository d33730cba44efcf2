import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testMessages } from './contract-messages.ts'
import { testScan } from './contract-scan.ts'
import { testSets } from './contract-sets.ts'
import { type Remembering, testWatch } from './contract-watch.ts'
import { testConditionalWrites } from './contract-writes.ts'
import { type Create, callers, everyVerb } from './subject.ts'

/**
 * What callers rely on, whichever store stands behind. The caller closes the store and removes what it left.
 *
 * @param remembering whether what is read may be remembered
 */
export function testStore(name: string, remembering: Remembering, create: Create): void {
  testReadsAndWrites(name, create)
  testExpiry(name, create)
  testRaces(name, create)
  testConditionalWrites(name, create)
  testSets(name, create)
  testScan(name, create)
  testMessages(name, create)
  testWatch(name, remembering, create)
  testEdges(name, create)
}

function testReadsAndWrites(name: string, create: Create): void {
  test(`${name} store: a value is read back, and overwritten by set`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.get('k'), undefined)
    assert.equal(await store.set('k', 'one', 10), undefined)
    assert.equal(await store.get('k'), 'one')
    await store.set('k', 'two', 10)
    assert.equal(await store.get('k'), 'two')
    assert.equal(await store.get('other'), undefined)
  })

  test(`${name} store: add writes only where nothing is`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.add('k', 'one', 10), true)
    assert.equal(await store.add('k', 'two', 10), false)
    assert.equal(await store.get('k'), 'one')
    await store.delete('k')
    assert.equal(await store.add('k', 'three', 10), true)
    assert.equal(await store.get('k'), 'three')
  })

  test(`${name} store: replace writes only over a live value, and never revives a removed one`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.replace('k', 'never there', 10), false)
    await store.set('k', 'one', 10)
    assert.equal(await store.replace('k', 'two', 10), true)
    assert.equal(await store.get('k'), 'two')
    await store.delete('k')
    assert.equal(await store.replace('k', 'deleted', 10), false)
    await store.set('k', 'three', 10)
    await store.take('k')
    assert.equal(await store.replace('k', 'taken', 10), false)
    assert.equal(await store.get('k'), undefined)
  })

  test(`${name} store: take reads and removes, and only the key it was given`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.take('k'), undefined)
    await store.set('k', 'v', 10)
    await store.set('k2', 'v2', 10)
    assert.equal(await store.take('k'), 'v')
    assert.equal(await store.take('k'), undefined)
    assert.equal(await store.get('k'), undefined)
    assert.equal(await store.get('k2'), 'v2')
  })

  test(`${name} store: delete says whether something live was removed`, async (t) => {
    const { store } = await create(t)
    assert.equal(await store.delete('k'), false)
    await store.set('k', 'v', 10)
    await store.set('k2', 'v2', 10)
    assert.equal(await store.delete('k'), true)
    assert.equal(await store.delete('k'), false)
    assert.equal(await store.get('k'), undefined)
    assert.equal(await store.get('k2'), 'v2')
  })
}

function testExpiry(name: string, create: Create): void {
  test(`${name} store: a value lives for its ttl, and for every verb it is then gone`, async (t) => {
    const { store, advance } = await create(t)
    for (const key of ['get', 'take', 'delete', 'replace', 'add', 'set']) await store.set(key, 'old', 2)
    await advance(1)
    assert.equal(await store.get('get'), 'old')
    await advance(1.1)
    assert.equal(await store.get('get'), undefined)
    assert.equal(await store.take('take'), undefined)
    assert.equal(await store.delete('delete'), false)
    assert.equal(await store.replace('replace', 'revived', 10), false)
    assert.equal(await store.get('replace'), undefined)
    assert.equal(await store.add('add', 'new', 10), true)
    assert.equal(await store.get('add'), 'new')
    await store.set('set', 'new', 10)
    assert.equal(await store.get('set'), 'new')
  })

  test(`${name} store: set and replace give the value a new ttl, longer or shorter`, async (t) => {
    const { store, advance } = await create(t)
    for (const key of ['set', 'replace']) await store.set(key, 'v', 1)
    for (const key of ['set-short', 'replace-short']) await store.set(key, 'v', 10)
    await store.set('set', 'v', 10)
    await store.replace('replace', 'v', 10)
    await store.set('set-short', 'v', 1)
    await store.replace('replace-short', 'v', 1)
    await advance(1.1)
    assert.equal(await store.get('set'), 'v')
    assert.equal(await store.get('replace'), 'v')
    assert.equal(await store.get('set-short'), undefined)
    assert.equal(await store.get('replace-short'), undefined)
  })

  test(`${name} store: neither a failed add nor a read prolongs what is there`, async (t) => {
    const { store, advance } = await create(t)
    await store.set('k', 'v', 1)
    assert.equal(await store.add('k', 'late', 10), false)
    assert.equal(await store.get('k'), 'v')
    await advance(1.1)
    assert.equal(await store.get('k'), undefined)
  })
}

function testRaces(name: string, create: Create): void {
  test(`${name} store: of many callers, exactly one takes the value`, async (t) => {
    const { store } = await create(t)
    await store.set('k', 'v', 10)
    const taken = await callers(() => store.take('k'))
    assert.deepEqual(
      taken.filter((value) => value !== undefined),
      ['v'],
    )
  })

  test(`${name} store: of many callers, exactly one adds, and its value stays`, async (t) => {
    const { store } = await create(t)
    const added = await callers((n) => store.add('k', `caller ${n}`, 10))
    assert.equal(added.filter(Boolean).length, 1)
    assert.equal(await store.get('k'), `caller ${added.indexOf(true)}`)
  })

  test(`${name} store: of many callers, exactly one adds over an expired value`, async (t) => {
    const { store, advance } = await create(t)
    await store.set('k', 'old', 1)
    await advance(1.1)
    const added = await callers((n) => store.add('k', `caller ${n}`, 10))
    assert.equal(added.filter(Boolean).length, 1)
    assert.equal(await store.get('k'), `caller ${added.indexOf(true)}`)
  })

  test(`${name} store: of many callers, exactly one deletes`, async (t) => {
    const { store } = await create(t)
    await store.set('k', 'v', 10)
    const deleted = await callers(() => store.delete('k'))
    assert.equal(deleted.filter(Boolean).length, 1)
  })

  test(`${name} store: replacing while another deletes leaves nothing`, async (t) => {
    const { store } = await create(t)
    await store.set('k', 'v', 10)
    await callers((n) => (n === 10 ? store.delete('k') : store.replace('k', `late ${n}`, 10)))
    assert.equal(await store.get('k'), undefined)
  })
}

function testEdges(name: string, create: Create): void {
  test(`${name} store: large values come back whole`, async (t) => {
    const { store } = await create(t)
    const values = ['a'.repeat(64 * 1024), 'ü'.repeat(64 * 1024), '']
    for (const [n, value] of values.entries()) await store.set(`k${n}`, value, 10)
    for (const [n, value] of values.entries()) assert.ok((await store.get(`k${n}`)) === value, `value ${n}`)
    assert.ok((await store.take('k1')) === values[1])
  })

  test(`${name} store: keys are data, in any script`, async (t) => {
    const { store } = await create(t)
    const strange = [
      'Zoë 🦊 اختبار 測試',
      "'; DROP TABLE entries; --",
      'line\r\n2',
      'nul\u0000 inside',
      '%_*?',
      '__proto__',
    ]
    for (const [n, one] of strange.entries()) await store.set(one, `${n}`, 10)
    for (const [n, one] of strange.entries()) assert.equal(await store.get(one), `${n}`)
    assert.equal(await store.get('NUL\u0000 INSIDE'), undefined)
    assert.equal(await store.get('nul'), undefined)
    for (const [n, one] of strange.entries()) assert.equal(await store.take(one), `${n}`)
  })

  test(`${name} store: a value is octets, any of them, and comes back as it was by every verb that takes one`, async (t) => {
    const { store } = await create(t)
    const octets = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet))
    const [first, second] = [octets, [...octets].reverse().join('')]
    await store.set('set', first, 10)
    assert.equal(await store.add('added', first, 10), true)
    assert.equal(await store.replace('set', second, 10), true)
    assert.equal(await store.get('set'), second)
    assert.equal(await store.swap('set', first, 'not over this', 10), false)
    assert.equal(await store.swap('set', second, first, 10), true)
    assert.equal(await store.take('set'), first)
    assert.equal(await store.deleteIf('added', second), false)
    assert.equal(await store.deleteIf('added', first), true)
  })

  test(`${name} store: says whether it is the only writer, and answers a ping`, async (t) => {
    const { store } = await create(t)
    assert.equal(typeof store.exclusive, 'boolean')
    assert.equal(await store.ping(), undefined)
  })

  test(`${name} store: once closed, every verb fails with store_unavailable; closing again does not`, async (t) => {
    const { store } = await create(t)
    await store.set('k', 'v', 10)
    await store.close()
    for (const [verb, call] of everyVerb(store)) {
      await assert.rejects(call(), { name: 'BffError', code: 'store_unavailable' }, verb)
    }
    await store.close()
  })
}
