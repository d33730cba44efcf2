import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, serializeError, summarizeError } from '../src/log.ts'
import { buildService } from './plugins/build-service.ts'

function collect(level = 'trace') {
  const lines: string[] = []
  return { lines, ...createLog(level, { write: (line: string) => void lines.push(line) }) }
}

test('LG-04: a line is one JSON object with level, UTC time and message, whatever is in it', () => {
  const { log, lines } = collect()
  const hostile = 'a\r\n{"level":"fatal"}\n\u001b[31m\u0000\u2028\u0085"\\'
  log.info({ value: hostile, [hostile]: 1 }, hostile)
  log.error({ err: new Error(hostile) }, hostile)
  assert.equal(lines.length, 2)
  for (const line of lines) {
    assert.equal(line.trimEnd().split(/[\r\n]/).length, 1)
    assert.ok(
      [...line.trimEnd()].every((character) => character >= ' '),
      'no control character',
    )
    const entry = JSON.parse(line) as Record<string, string>
    assert.match(entry.level ?? '', /^(info|error)$/)
    assert.match(entry.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.equal(entry.msg, hostile)
  }
})

test('LG-01: headers never get into a line, from whatever place a library hands them over', () => {
  const { log, lines } = collect()
  const headers = { cookie: 'canary', authorization: 'canary', 'set-cookie': ['canary'] }
  log.info({ headers }, 'a')
  log.info({ req: { headers }, res: { headers }, request: { headers }, upstream: { headers } }, 'b')
  assert.equal(lines.length, 2)
  assert.doesNotMatch(lines.join(''), /canary/)
})

test('LG-01: an error is logged by its name, code, message, place and causes; no other property of it', () => {
  const cause = Object.assign(new Error('inner'), {
    code: 'E_INNER',
    body: 'canary',
    response: { access_token: 'canary' },
  })
  const error = Object.assign(new TypeError('outer', { cause }), {
    code: 'E_OUTER',
    parameters: 'canary',
    errors: ['canary'],
  })
  const { log, lines } = collect()
  for (const name of ['err', 'error']) log.error({ [name]: error }, 'failed')
  log.error(error)
  for (const line of lines) {
    assert.doesNotMatch(line, /canary/)
    const entry = JSON.parse(line) as Record<string, Record<string, unknown>>
    const logged = entry.err ?? entry.error
    assert.equal(logged?.type, 'TypeError')
    assert.equal(logged?.code, 'E_OUTER')
    assert.equal(logged?.message, 'outer')
    assert.match(String(logged?.stack), /at .*log\.test\.ts/)
    assert.deepEqual(
      { ...(logged?.cause as object), stack: '' },
      { type: 'Error', code: 'E_INNER', message: 'inner', stack: '' },
    )
  }
})

test("LG-01: a JSON parser's message, which quotes what it read, is not logged, also as the cause of another", () => {
  let parserError: unknown
  try {
    JSON.parse('canary')
  } catch (error) {
    parserError = error
  }
  assert.match(String(parserError), /canary/)
  const { log, lines } = collect()
  log.error({ err: parserError }, 'a')
  log.error({ err: new Error('b', { cause: parserError }) }, 'b')
  assert.doesNotMatch(lines.join(''), /canary/)
})

test('LG-01: the query of a URL that a message quotes is cut off', () => {
  const message = `'/auth/callback%zz?code=canary&state=canary' is not a valid url component, nor "https://a/?code=canary" (GET)`
  for (const shown of [summarizeError(new Error(message)), serializeError(new Error(message))]) {
    assert.doesNotMatch(JSON.stringify(shown), /canary/)
    assert.match(JSON.stringify(shown), /is not a valid url component/)
  }
})

test('LG-01: what is thrown and is no error is named by its type alone', () => {
  for (const thrown of ['canary', { canary: 1 }, 7, null, undefined]) {
    assert.doesNotMatch(JSON.stringify(serializeError(thrown)), /canary/)
  }
})

test('a chain of causes is followed so far, also one that bites its tail', () => {
  const error = new Error('a')
  error.cause = error
  assert.ok(JSON.stringify(serializeError(error)).length < 20_000)
})

test('LG-02: every request is one line with id, method, path, status, duration and address; its session by public id', async (t) => {
  const { inject, plant, sessions, entries, cookieName } = await buildService(t)
  const credential = await plant()
  const id = (await sessions.find(credential))?.record.id
  await inject({
    url: '/auth/session?canary',
    remoteAddress: '192.0.2.1',
    headers: { cookie: `${cookieName}=${credential}` },
  })
  await inject({ url: '/nowhere?canary#canary' })
  const [first, second] = entries().filter(({ msg }) => msg === 'request')
  const { time: _time, ms, request_id: requestId, ...rest } = first ?? {}
  assert.deepEqual(rest, {
    level: 'info',
    method: 'GET',
    path: '/auth/session',
    status: 200,
    ip: '192.0.2.1',
    session: id,
    msg: 'request',
  })
  assert.equal(typeof ms, 'number')
  assert.match(String(requestId), /^[a-z0-9-]+$/)
  assert.equal(second?.path, '/nowhere')
  assert.ok(!('session' in (second ?? {})))
  assert.ok(!JSON.stringify(entries()).includes(credential))
})

test('LG-04: a path that is full of traps is one line, cut to size', async (t) => {
  const { inject, logs, entries } = await buildService(t)
  await inject({ url: `/%0d%0a%1b[31m${'x'.repeat(3000)}` })
  for (const line of logs) assert.equal(line.trimEnd().split('\n').length, 1)
  const [request] = entries().filter(({ msg }) => msg === 'request')
  assert.ok(String(request?.path).length <= 200)
})
