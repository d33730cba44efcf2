import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import type { Create } from './subject.ts'

const LAST = 'the last message'

/** Resolves when everything published on the channel before has arrived: there, messages keep their order. */
async function settle(store: Store, channel: string): Promise<void> {
  const arrived = Promise.withResolvers<void>()
  const leave = await store.subscribe(channel, (message) => message === LAST && arrived.resolve())
  await store.publish(channel, LAST)
  await arrived.promise
  leave()
}

/** A listener that writes down what it hears, with a word before. */
const note =
  (heard: string[], word: string) =>
  (message: string): void => {
    if (message !== LAST) heard.push(`${word} ${message}`)
  }

/** What callers rely on when they tell others, on any replica. */
export function testMessages(name: string, create: Create): void {
  test(`${name} store: a message reaches everyone on its channel, in order, and nobody else`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    await store.subscribe('c', note(heard, 'one'))
    await store.subscribe('c', note(heard, 'two'))
    await store.subscribe('c2', note(heard, 'other'))
    await store.subscribe('C', note(heard, 'upper case'))
    assert.equal(await store.publish('c', 'hello'), undefined)
    await store.publish('c', 'again')
    await store.publish('nobody', 'lost')
    await settle(store, 'c')
    assert.deepEqual(heard, ['one hello', 'two hello', 'one again', 'two again'])
  })

  test(`${name} store: who has left hears nothing more, the others still do`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    const listener = note(heard, 'heard')
    const leave = await store.subscribe('c', listener)
    await store.subscribe('c', listener)
    await store.publish('c', 'to both')
    await settle(store, 'c')
    leave()
    leave()
    await store.publish('c', 'to one')
    await settle(store, 'c')
    assert.deepEqual(heard, ['heard to both', 'heard to both', 'heard to one'])
  })

  test(`${name} store: a channel that all have left can be joined again`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    for (const round of ['first', 'second', 'third']) {
      const leave = await store.subscribe('c', note(heard, 'in'))
      await store.publish('c', round)
      await settle(store, 'c')
      leave()
    }
    assert.deepEqual(heard, ['in first', 'in second', 'in third'])
  })

  test(`${name} store: who joins while another leaves is not forgotten`, async (t) => {
    const { store } = await create(t)
    let leave = await store.subscribe('c', () => {})
    for (let n = 0; n < 50; n++) {
      const arrived = Promise.withResolvers<string>()
      if (n % 2 === 0) leave()
      const joining = store.subscribe('c', arrived.resolve)
      if (n % 2 === 1) leave()
      leave = await joining
      await store.publish('c', `round ${n}`)
      assert.equal(await arrived.promise, `round ${n}`)
    }
  })

  test(`${name} store: channels and messages are data, in any script; no gap is told where none was`, async (t) => {
    const { store } = await create(t)
    const strange = ['', 'Zoë 🦊 測試', 'nul\u0000 inside', '*', 'line\r\n2', 'ü'.repeat(64 * 1024)]
    const heard: string[] = []
    let gaps = 0
    const onGap = () => void gaps++
    await store.subscribe('Zoë:{*}', (message) => void heard.push(message), onGap)
    for (const message of strange) await store.publish('Zoë:{*}', message)
    await settle(store, 'Zoë:{*}')
    assert.deepEqual(heard, [...strange, LAST])
    assert.equal(gaps, 0)
  })

  test(`${name} store: a listener may leave, and join, while it listens`, async (t) => {
    const { store } = await create(t)
    const heard: string[] = []
    const leave = await store.subscribe('c', (message) => {
      note(heard, 'once')(message)
      leave()
    })
    await store.subscribe('c', note(heard, 'always'))
    await store.publish('c', 'one')
    await store.publish('c', 'two')
    await settle(store, 'c')
    assert.deepEqual(heard, ['once one', 'always one', 'always two'])
  })
}
