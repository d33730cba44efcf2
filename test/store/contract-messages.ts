import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import type { Create } from './subject.ts'

/** Resolves when everything published before has arrived: messages keep their order. */
async function settle(store: Store): Promise<void> {
  const arrived = Promise.withResolvers<void>()
  const stop = await store.subscribe('settle', () => arrived.resolve())
  await store.publish('settle', '')
  await arrived.promise
  stop()
}

/** What callers rely on when they tell others, on any replica. */
export function testMessages(name: string, create: Create): void {
  test(`${name} store: a message reaches everyone on its channel, in order, and nobody else`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    await store.subscribe('c', (message) => void heard.push(`one ${message}`))
    await store.subscribe('c', (message) => void heard.push(`two ${message}`))
    await store.subscribe('c2', (message) => void heard.push(`other ${message}`))
    await store.subscribe('C', (message) => void heard.push(`upper ${message}`))
    assert.equal(await store.publish('c', 'hello'), undefined)
    await store.publish('c', 'again')
    await store.publish('nobody', 'lost')
    await settle(store)
    assert.deepEqual(heard, ['one hello', 'two hello', 'one again', 'two again'])
  })

  test(`${name} store: who has left hears nothing more, the others still do`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    const both = (message: string) => void heard.push(message)
    const leave = await store.subscribe('c', both)
    await store.subscribe('c', both)
    await store.publish('c', 'to both')
    await settle(store)
    leave()
    leave()
    await store.publish('c', 'to one')
    await settle(store)
    assert.deepEqual(heard, ['to both', 'to both', 'to one'])
  })

  test(`${name} store: a channel that all have left can be joined again`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    for (const round of ['first', 'second', 'third']) {
      const leave = await store.subscribe('c', (message) => void heard.push(message))
      await store.publish('c', round)
      await settle(store)
      leave()
    }
    assert.deepEqual(heard, ['first', 'second', 'third'])
  })

  test(`${name} store: who joins while another leaves is not forgotten`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    let leave = await store.subscribe('c', () => {})
    for (let n = 0; n < 50; n++) {
      const joining = store.subscribe('c', (message) => void heard.push(`${n} ${message}`))
      leave()
      leave = await joining
      await store.publish('c', 'hello')
    }
    await settle(store)
    assert.deepEqual(
      heard,
      Array.from({ length: 50 }, (_, n) => `${n} hello`),
    )
  })

  test(`${name} store: channels and messages are data, in any script; no gap is told where none was`, async (t) => {
    const { store } = await create(t)
    const strange = ['', 'Zoë 🦊 測試', 'nul\u0000 inside', '*', 'line\r\n2', 'ü'.repeat(64 * 1024)]
    const heard: string[] = []
    let gaps = 0
    await store.subscribe(
      'Zoë:{*}',
      (message) => void heard.push(message),
      () => gaps++,
    )
    for (const message of strange) await store.publish('Zoë:{*}', message)
    await settle(store)
    assert.deepEqual(heard, strange)
    assert.equal(gaps, 0)
  })

  test(`${name} store: a listener may leave, and join, while it listens`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    const leave = await store.subscribe('c', (message) => {
      heard.push(`once ${message}`)
      leave()
    })
    await store.subscribe('c', (message) => void heard.push(`always ${message}`))
    await store.publish('c', 'one')
    await store.publish('c', 'two')
    await settle(store)
    assert.deepEqual(heard, ['once one', 'always one', 'always two'])
  })
}
