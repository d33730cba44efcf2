import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { addProcessMetrics, createMetrics } from '../../src/metrics.ts'
import { createEmbeddedStore } from '../../src/store/embedded-store.ts'

const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const guide = read('docs/operations.md')
const sources = globSync('src/**/*.ts', { cwd: root })

/** The text under a heading, up to the next heading of whatever rank. */
function section(heading: string): string {
  const [, text] = guide.split(`\n${heading}\n`)
  assert.ok(text !== undefined, `no section ${heading}`)
  return text.split(/^#{1,4} /m)[0] ?? ''
}

/** The cells of a table's body rows. */
const readTable = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )

/** What a cell has in backticks. */
const codesOf = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** Names in quotes within the first part of a source file that a pattern finds. */
function quotedIn(path: string, pattern: RegExp): string[] {
  const [found] = pattern.exec(read(path)) ?? []
  assert.ok(found, `${path}: ${pattern}`)
  return [...found.matchAll(/'([^']+)'/g)].map(([, name = '']) => name)
}

/** Outcomes that a route counts. */
const countedIn = (path: string): string[] =>
  [...read(path).matchAll(/\.inc\(\{ outcome: '(\w+)' \}\)/g)].map(([, outcome = '']) => outcome)

/** Where the values of each label are said in the code. */
const LABEL_VALUES: Readonly<Record<string, Readonly<Record<string, () => readonly string[]>>>> = {
  oten_bff_sign_in_starts_total: {
    client: () => quotedIn('src/login/transaction.ts', /type SignInTarget =[\s\S]*?\n\n/),
  },
  oten_bff_sign_ins_total: {
    client: () => [
      ...quotedIn('src/login/transaction.ts', /type SignInTarget =[\s\S]*?\n\n/),
      ...quotedIn('src/routes/auth-callback.ts', /client: 'unknown'/),
    ],
    outcome: () => [
      'succeeded',
      ...quotedIn('src/idp/authorization.ts', /const USER_ERRORS = \[[\s\S]*?\]/),
      ...quotedIn('src/idp/authorization.ts', /type SignInError = .*/),
      ...quotedIn('src/routes/auth-callback.ts', /outcome: 'unknown_transaction'/),
    ],
  },
  oten_bff_handoffs_total: { outcome: () => countedIn('src/routes/auth-handoff.ts') },
  oten_bff_sessions_started_total: { kind: () => quotedIn('src/session/credential.ts', /type CredentialKind = .*/) },
  oten_bff_sessions_ended_total: { reason: () => quotedIn('src/session/events.ts', /type EndReason = .*/) },
  oten_bff_refreshes_total: { outcome: () => quotedIn('src/idp/idp.ts', /const REFRESH_OUTCOMES = \{[\s\S]*?\}/) },
  oten_bff_backchannel_logouts_total: { outcome: () => countedIn('src/routes/auth-backchannel-logout.ts') },
  oten_bff_errors_total: {
    code: () =>
      [...(/const ERRORS = \{([\s\S]*?)\n\}/.exec(read('src/errors.ts'))?.[1] ?? '').matchAll(/^ {2}(\w+): \[/gm)]
        .map(([, code = '']) => code)
        .filter((code) => code !== 'unknown_transaction'), // Goes by another name on the wire.
  },
  oten_bff_event_streams: {},
  oten_bff_store_duration_seconds: {
    verb: () => quotedIn('src/store/timed-store.ts', /const TIMED = \[[\s\S]*?\]/),
    outcome: () =>
      [...read('src/store/timed-store.ts').matchAll(/outcome: '(\w+)' \}\)/g)].map(([, name = '']) => name),
  },
  oten_bff_idp_duration_seconds: {
    endpoint: () => quotedIn('src/idp/timed-fetch.ts', /type IdpEndpoint = .*/),
    // What comes back in time and whole has a status; of those, 1xx never end a request and 3xx are refused.
    outcome: () => ['2xx', '4xx', '5xx', ...quotedIn('src/idp/timed-fetch.ts', /let outcome = .*/)],
  },
}

const labelNamesOf = (metric: object): string[] => {
  const names: unknown = Reflect.get(metric, 'labelNames')
  assert.ok(Array.isArray(names))
  return names.map(String)
}

test('the table of metrics has the names, types and labels of the registry, all of them and no others', () => {
  const documented = readTable(section('### Of the service')).map(([name, type, labels = '']) => ({
    name: codesOf(name)[0],
    type,
    labels: labels.split('<br>').flatMap((line) => codesOf(line)[0] ?? []),
  }))
  const real = createMetrics()
    .registry.getMetricsAsArray()
    .map((metric) => ({ name: metric.name, type: String(metric.type), labels: labelNamesOf(metric) }))
  assert.deepEqual(documented, real)
})

test('the table of metrics has the values that the code gives to each label, all of them and no others', () => {
  for (const [cell, , labels = ''] of readTable(section('### Of the service'))) {
    const [name = ''] = codesOf(cell)
    const known = LABEL_VALUES[name]
    assert.ok(known, `${name}: where are its values said?`)
    const lines = labels === 'none' ? [] : labels.split('<br>').map(codesOf)
    assert.deepEqual(
      lines.map(([label]) => label),
      Object.keys(known),
    )
    for (const [label = '', ...values] of lines) {
      const wanted: ReadonlySet<string> = new Set(known[label]?.())
      assert.ok(wanted.size > 1, `${name} ${label}: nothing found in the code`)
      assert.deepEqual(new Set(values), wanted, `${name} ${label}`)
      assert.equal(values.length, wanted.size, `${name} ${label}: a value stands twice`)
    }
  }
})

test('the metrics of the process that the guide explains are there, under those types', () => {
  const metrics = createMetrics()
  addProcessMetrics(metrics)
  const real = new Map(metrics.registry.getMetricsAsArray().map(({ name, type }) => [name, String(type)]))
  const documented = readTable(section('### Of the process'))
  assert.ok(documented.length >= 8)
  for (const [cell, type] of documented) assert.equal(real.get(codesOf(cell)[0] ?? ''), type, cell)
})

test('the table of log events has every event of the code at its levels, and no others', () => {
  const call = /\.(fatal|error|warn|info|debug)\(\s*\{[^}]*?\bevent: '(\w+)'/g
  const named = /\bevent: '\w+'/g
  const real = new Map<string, Set<string>>()
  for (const path of sources) {
    const text = read(path)
    const found = [...text.matchAll(call)]
    assert.equal(
      found.length,
      text.match(named)?.length ?? 0,
      `${path}: an event in a form that this test does not see`,
    )
    for (const [, level = '', event = ''] of found) real.set(event, (real.get(event) ?? new Set()).add(level))
  }
  const documented = readTable(section('### Events')).map(([event, levels = '']) => [
    codesOf(event)[0] ?? '',
    levels.split(', ').sort(),
  ])
  assert.deepEqual(
    documented,
    [...real]
      .map(([event, levels]) => [event, [...levels].sort()])
      .sort(([a], [b]) => String(a).localeCompare(String(b))),
  )
})

test('the other lines that the guide explains are written by the code', () => {
  const code = sources.map(read).join('\n')
  const documented = readTable(section('### Other lines'))
  assert.ok(documented.length >= 10)
  for (const [message] of documented) {
    const words = (codesOf(message)[0] ?? '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    assert.match(code, new RegExp(`['\`][^'\`\\n]*${words}`), message) // Within a text, not as a name.
  }
  for (const [, alert = ''] of code.matchAll(/\balert: '(\w+)'/g))
    assert.ok(guide.includes(`\`alert: ${alert}\``), alert)
})

test('the table of spans has every attribute and name that the code gives, and no others', () => {
  const files = ['src/tracing.ts', 'src/plugins/trace.ts', 'src/idp/traced-fetch.ts']
  const inCode = files.flatMap((path) => [...read(path).matchAll(/'((?:http|server|url|oten_bff)\.[a-z_.]+)'/g)])
  const rows = readTable(section('## Traces'))
  const documented = rows.flatMap(([, , attributes]) => codesOf(attributes)).filter((code) => code.includes('.'))
  assert.deepEqual(new Set(documented), new Set(inCode.map(([, name]) => name)))
  const endpoints = quotedIn('src/idp/timed-fetch.ts', /type IdpEndpoint = .*/)
  assert.match(read('src/idp/traced-fetch.ts'), /`idp \$\{endpoint\}`/)
  assert.deepEqual(
    codesOf(rows[1]?.[0]),
    endpoints.map((endpoint) => `idp ${endpoint}`),
  )
})

test('the versions of what is stored are those of the code', async (t) => {
  const [seal, record, file] = readTable(section('## Upgrade and rollback')).map(([, version]) => version)
  assert.equal(seal, /const VERSION = '(\d+)'/.exec(read('src/session/seal.ts'))?.[1])
  assert.equal(record, /const VERSION = (\d+)/.exec(read('src/session/stored-session.ts'))?.[1])
  const folder = mkdtempSync(join(tmpdir(), 'operations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'sessions.db')
  await (await createEmbeddedStore({ path, now: () => 1000 })).close()
  const db = new DatabaseSync(path)
  t.after(() => db.close())
  assert.equal(file, String(db.prepare('PRAGMA user_version').get()?.user_version))
})

test('what a request costs is about what the bench has written down', () => {
  const { results } = JSON.parse(read('bench/results.json')) as {
    results: { case: string; cpu_us: number; rss_mb: number }[]
  }
  const rows = readTable(section('## Sizing'))
  assert.ok(rows.length >= 3)
  for (const [name, cpu = '', rss = ''] of rows) {
    const result = results.find((one) => one.case === name)
    assert.ok(result, `bench/results.json has no case ${name}`)
    for (const [told, measured] of [
      [Number.parseFloat(cpu), result.cpu_us],
      [Number.parseFloat(rss), result.rss_mb],
    ] as const) {
      assert.ok(Math.abs(told - measured) <= measured / 4, `${name}: ${told} is not about ${measured}`)
    }
  }
})

/** As GitHub makes them. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = (markdown: string): Set<string> =>
  new Set([...markdown.matchAll(/^#{1,4} (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)))

test('every link leads to a file that is there, and to a heading in it', () => {
  const links = [...guide.matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = '']) => link)
  assert.ok(links.length > 60)
  for (const link of links.filter((one) => !one.startsWith('https:'))) {
    const [path = '', anchor] = link.split('#')
    const file = path === '' ? 'docs/operations.md' : join('docs', path)
    assert.ok(existsSync(join(root, file)), link)
    if (anchor !== undefined) assert.ok(anchorsOf(read(file)).has(anchor), link)
  }
})

test('every test that the guide names is there under that title, and every outage names one', () => {
  const named = [...guide.matchAll(/\[((?:[^[\]]|\[[^\]]*\])+)\]\(\.\.\/(test\/[^()\s]+)\)/g)]
  assert.ok(named.length > 30)
  for (const [, title = '', path = ''] of named) {
    if (title === basename(path)) continue
    assert.ok(title.length >= 20, title)
    const titles = read(path).replaceAll("\\'", "'")
    assert.ok(
      ["'", '"', '`'].some((quote) => titles.includes(`${quote}${title}`)),
      `${path}: ${title}`,
    )
  }
  for (const row of readTable(section('## Outages'))) assert.match(row.at(-1) ?? '', /\]\(\.\.\/test\//, row[0])
})
