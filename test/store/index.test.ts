import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { openStore } from '../../src/store/index.ts'
import { startRedis } from '../support/redis.ts'

const now = () => 1000

test('memory: opens a store that forgets', async (t) => {
  const store = await openStore('memory:', { now })
  t.after(() => store.close())
  await store.set('k', 'v', 10)
  assert.equal(await store.get('k'), 'v')
})

test('file: takes a relative path, an absolute path, and an absolute URL', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const here = relative(process.cwd(), directory)
  const urls = {
    relative: `file:${here}/relative`,
    dotted: `file:./${here}/dotted`,
    absolute: `file:${directory}/absolute`,
    url: `file://${directory}/url`,
    'as%20is?': `file:${directory}/as%20is?`,
  }
  for (const [name, url] of Object.entries(urls)) {
    const store = await openStore(url, { now })
    await store.set('k', name, 10)
    await store.close()
    assert.ok(existsSync(join(directory, name)), url)
  }
})

test('redis: opens a store that others write to as well, and does not wait for Redis', async (t) => {
  const redis = await startRedis(t)
  for (const url of [redis.url, 'redis://127.0.0.1:1', 'rediss://127.0.0.1:1', 'redis://127.0.0.1:1?cluster=true']) {
    const store = await openStore(url, { now })
    t.after(() => store.close())
    assert.equal(store.exclusive, false)
    if (url === redis.url) await store.set('k', 'v', 10)
  }
})

test('what names no store is refused in a sentence, without the value', async () => {
  const cases: [string, RegExp][] = [
    ['redis://user:p@hunter2@cache:6379', /^SESSION_STORE: must be redis:/],
    ['rediss://cache?hunter2=true', /^SESSION_STORE: knows these parameters/],
    ['postgres://user:hunter2@db', /^SESSION_STORE must be memory:, file:PATH, redis:\/\/… or rediss:\/\/…$/],
    ['hunter2', /^SESSION_STORE must be/],
    ['', /^SESSION_STORE must be/],
    ['MEMORY:', /^SESSION_STORE must be/],
    ['memory:hunter2', /nothing may follow memory:/],
    ['file:', /needs the path of a file/],
    ['file:///', /needs the path of a file/],
    ['file:./hunter2/', /needs the path of a file/],
    ['file://hunter2/data', /without a host/],
    ['file://', /without a host/],
  ]
  for (const [url, sentence] of cases) {
    await assert.rejects(openStore(url, { now }), (error: Error) => {
      assert.match(error.message, sentence)
      assert.ok(!error.message.includes('hunter2'))
      return true
    })
  }
})
