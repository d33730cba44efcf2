import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { addProcessMetrics, createMetrics } from '../../src/metrics.ts'
import { createWorld } from '../support/world.ts'

const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const guide = read('docs/operations.md')

/** What a target of Prometheus has beside the labels of the metric itself. */
const TARGET_LABELS = ['job', 'instance']
/** Not oten-bff's: Prometheus's own, and of its blackbox exporter. The guide says so. */
const FOREIGN = ['up', 'probe_success']

const AGGREGATIONS = new Set(['sum', 'max', 'min', 'avg', 'count'])
const OF_A_RANGE = new Set(['rate', 'increase', 'changes'])
const OTHERS = new Set(['histogram_quantile', 'vector', 'absent', 'time'])
const OPERATORS = /^(?:[-+*/%^]|[=!<>]=|[<>]|and|or|unless)$/
const MATCHERS = ['=', '!=', '=~', '!~']
const DURATION = /^(?:\d+(?:ms|[smhdwy])|\$__rate_interval|\$__range)$/
const TOKEN =
  /\s+|"(?:[^"\\]|\\.)*"|\$?[A-Za-z_:][\w:]*|\d+(?:ms|[smhdwy])\b|\d+(?:\.\d+)?\b|[=!]~|[=!<>]=|[-+*/%^=<>,(){}[\]]/y

interface Matcher {
  readonly label: string
  readonly pattern: string
}

/** A metric as an expression asks for it, and by what it is summed up. */
interface Use {
  readonly name: string
  readonly matchers: readonly Matcher[]
  readonly isRange: boolean
  readonly calledBy: string | undefined
}

interface Parsed {
  readonly uses: readonly Use[]
  readonly grouped: readonly string[]
}

function tokenize(expression: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let at = 0; at < expression.length; at = TOKEN.lastIndex) {
    const [token] = TOKEN.exec(expression) ?? []
    assert.ok(token, `not PromQL from here on: ${expression.slice(at)}`)
    if (token.trim() !== '') tokens.push(token)
  }
  return tokens
}

/** Reads the part of PromQL that is used here, and nothing beyond it. @throws on anything else */
function parsePromql(expression: string): Parsed {
  const tokens = tokenize(expression)
  const uses: Use[] = []
  const grouped: string[] = []
  let at = 0
  const peek = (): string => tokens[at] ?? ''
  const next = (): string => tokens[at++] ?? ''
  const skip = (token: string): boolean => peek() === token && Boolean(next())
  const need = (token: string): void => assert.ok(skip(token), `${token} before ${peek()} in ${expression}`)

  const listOf = (open: string, close: string, item: () => void): void => {
    need(open)
    while (!skip(close)) {
      item()
      if (peek() !== close) need(',')
    }
  }
  const labels = (): void => listOf('(', ')', () => grouped.push(next()))
  const grouping = (): void => void ((skip('by') || skip('without')) && labels())

  const duration = (): void => assert.ok(DURATION.test(peek()) && next(), `${peek()} is no duration: ${expression}`)

  const matcher = (): Matcher => {
    const label = next()
    assert.ok(MATCHERS.includes(next()), `${label} in ${expression}`)
    assert.ok(peek().startsWith('"'), `${label} needs a value in quotes: ${expression}`)
    return { label, pattern: next().slice(1, -1) }
  }
  const selector = (name: string, calledBy: string | undefined): void => {
    assert.ok(/^[a-z][a-z0-9_]*$/.test(name), `${name} is no metric: ${expression}`)
    const matchers: Matcher[] = []
    if (peek() === '{') listOf('{', '}', () => matchers.push(matcher()))
    const isRange = skip('[')
    if (isRange) {
      duration()
      need(']')
    }
    if (skip('offset')) duration()
    uses.push({ name, matchers, isRange, calledBy })
  }
  const operand = (calledBy?: string): void => {
    const token = next()
    if (token === '(') {
      sequence()
      need(')')
    } else if (/^\d+(?:\.\d+)?$/.test(token)) return
    else if (AGGREGATIONS.has(token)) {
      grouping()
      listOf('(', ')', () => sequence(token))
      grouping()
    } else if (peek() === '(') {
      assert.ok(OF_A_RANGE.has(token) || OTHERS.has(token), `unknown function ${token}`)
      listOf('(', ')', () => sequence(token))
    } else selector(token, calledBy)
  }
  function sequence(calledBy?: string): void {
    operand(calledBy)
    while (OPERATORS.test(peek())) {
      next()
      if (skip('on') || skip('ignoring')) labels()
      operand()
    }
  }
  sequence()
  assert.equal(at, tokens.length, `unexpected ${peek()} in ${expression}`)
  return { uses, grouped }
}

interface Known {
  readonly type: string
  readonly labels: readonly string[]
}

/** Every series of the service: from what it answers at `/metrics`, and from what the process adds to that. */
async function learnSeries(t: TestContext): Promise<ReadonlyMap<string, Known>> {
  const world = await createWorld(t)
  const text = await (await fetch(`${world.adminUrl}/metrics`)).text()
  const answered = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
  const metrics = createMetrics()
  addProcessMetrics(metrics)
  const series = new Map<string, Known>(FOREIGN.map((name) => [name, { type: 'gauge', labels: TARGET_LABELS }]))
  for (const metric of metrics.registry.getMetricsAsArray()) {
    if (metric.name.startsWith('oten_bff_')) assert.ok(answered.has(metric.name), metric.name)
    const own: unknown = Reflect.get(metric, 'labelNames')
    const labels = [...(Array.isArray(own) ? own.map(String) : []), ...TARGET_LABELS]
    const type = String(metric.type)
    if (type !== 'histogram') series.set(metric.name, { type, labels })
    else {
      series.set(`${metric.name}_bucket`, { type: 'counter', labels: [...labels, 'le'] })
      for (const end of ['sum', 'count']) series.set(`${metric.name}_${end}`, { type: 'counter', labels })
    }
  }
  return series
}

/** The values of a label as the guide's table has them, which another test holds against the code. */
function documentedValues(name: string, label: string): readonly string[] {
  const metric = name.replace(/_(bucket|sum|count)$/, '')
  const row = guide.split('\n').find((line) => line.startsWith(`| \`${metric}\` |`)) ?? ''
  const [, values = ''] = new RegExp(`\`${label}\`: ((?:\`[^\`]+\`(?:, )?)+)`).exec(row) ?? []
  return [...values.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value)
}

/** @throws when an expression asks for what there is not, or in a way that gives nothing */
function checkExpression(expression: string, series: ReadonlyMap<string, Known>): void {
  const { uses, grouped } = parsePromql(expression)
  const available = new Set<string>()
  for (const { name, matchers, isRange, calledBy = '' } of uses) {
    const known = series.get(name)
    assert.ok(known, `there is no metric ${name}`)
    assert.equal(isRange, OF_A_RANGE.has(calledBy), `${name}: a range is what rate and its like take, and only they`)
    if (['rate', 'increase'].includes(calledBy)) assert.equal(known.type, 'counter', `${name} is no counter`)
    for (const label of known.labels) available.add(label)
    for (const { label, pattern } of matchers) {
      assert.ok(known.labels.includes(label), `${name} has no label ${label}`)
      if (TARGET_LABELS.includes(label)) continue
      const values = documentedValues(name, label)
      for (const value of pattern.split('|')) assert.ok(values.includes(value), `${name}: ${label} is never ${value}`)
    }
  }
  for (const label of grouped) assert.ok(available.has(label), `nothing here has the label ${label}`)
  if (expression.includes('histogram_quantile'))
    assert.ok(grouped.includes('le'), 'a quantile needs its buckets: by (le)')
}

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly annotations: Readonly<Record<string, string>>
}

const alerts = (parse(read('docs/alerts.yaml')) as { groups: { rules: Alert[] }[] }).groups.flatMap(
  ({ rules }) => rules,
)

test('every alert asks for series and labels that the service has', async (t) => {
  const series = await learnSeries(t)
  assert.ok(alerts.length >= 15)
  for (const { alert, expr } of alerts) {
    assert.doesNotThrow(() => checkExpression(expr, series), alert)
    assert.doesNotMatch(expr, /\$/, `${alert}: Prometheus has no variables`)
  }
})

test('what an alert says of its series has labels that the series has', () => {
  for (const { alert, expr, annotations } of alerts) {
    const kept = /\bsum\b/.test(expr) ? parsePromql(expr).grouped : TARGET_LABELS
    for (const [, label = ''] of Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g)) {
      assert.ok(kept.includes(label), `${alert}: ${label} is lost in the expression`)
    }
  }
})

interface Panel {
  readonly type: string
  readonly title: string
  readonly datasource?: unknown
  readonly targets?: readonly { expr: string; legendFormat: string; datasource: unknown }[]
}

interface Dashboard {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { name: string; type: string; query: string | { query: string } }[] }
}

const { panels, templating } = JSON.parse(read('docs/grafana-dashboard.json')) as Dashboard
const targets = panels.flatMap(({ targets: own = [], title }) => own.map((target) => ({ ...target, title })))

test('every query of the dashboard asks for series and labels that the service has, of the chosen source and replicas', async (t) => {
  const series = await learnSeries(t)
  const chosen = { type: 'prometheus', uid: `\${datasource}` }
  assert.ok(targets.length >= 30)
  for (const { expr, legendFormat, datasource, title } of targets) {
    assert.deepEqual(datasource, chosen, title)
    assert.doesNotThrow(() => checkExpression(expr, series), title)
    const { uses, grouped } = parsePromql(expr)
    for (const { matchers } of uses) {
      const filters = matchers.filter(({ label, pattern }) => pattern === `$${label}`).map(({ label }) => label)
      assert.deepEqual(filters, TARGET_LABELS, title)
    }
    const kept = /\b(sum|max)\b/.test(expr) ? grouped : TARGET_LABELS
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.ok(kept.includes(label), title)
  }
  for (const { type, datasource } of panels) if (type !== 'row') assert.deepEqual(datasource, chosen)
  const [source, ...others] = templating.list
  assert.deepEqual([source?.name, source?.type, source?.query], ['datasource', 'datasource', 'prometheus'])
  assert.deepEqual(
    others.map(({ name }) => name),
    TARGET_LABELS,
  )
  for (const { name, query } of others) {
    const [, selector = '', label] =
      /^label_values\((.+), (\w+)\)$/.exec(typeof query === 'string' ? '' : query.query) ?? []
    checkExpression(selector, series)
    assert.equal(label, name)
  }
})

test('the check of expressions proves itself: each mistake is seen', async (t) => {
  const series = await learnSeries(t)
  const wrong: readonly (readonly [expression: string, fault: RegExp])[] = [
    ['sum(rate(oten_bff_sign_in_total[5m]))', /no metric oten_bff_sign_in_total/],
    ['sum(rate(oten_bff_sign_ins_total{result="succeeded"}[5m]))', /no label result/],
    ['sum(rate(oten_bff_sign_ins_total{outcome="success"}[5m]))', /outcome is never success/],
    ['sum(rate(oten_bff_sign_ins_total{outcome=~"succeeded|faild"}[5m]))', /outcome is never faild/],
    ['sum by (reason) (rate(oten_bff_sign_ins_total[5m]))', /nothing here has the label reason/],
    ['sum(rate(oten_bff_sign_ins_total[5m])', /\) before|, before/],
    ['sum(rate(oten_bff_sign_ins_total[5m])))', /unexpected \)/],
    ['sum(rate(oten_bff_sign_ins_total))', /a range is what/],
    ['sum(oten_bff_sign_ins_total[5m])', /a range is what/],
    ['rate(oten_bff_event_streams[5m])', /is no counter/],
    ['rated(oten_bff_sign_ins_total[5m])', /unknown function rated/],
    ['oten_bff_event_streams > > 1', /> is no metric/],
    ['oten_bff_event_streams & 1', /not PromQL/],
    ['oten_bff_event_streams{job=oten}', /needs a value in quotes/],
    ['histogram_quantile(0.9, sum(rate(oten_bff_idp_duration_seconds_bucket[5m])))', /by \(le\)/],
    ['sum(rate(oten_bff_idp_duration_seconds[5m]))', /no metric oten_bff_idp_duration_seconds/],
    ['increase(oten_bff_errors_total[10])', /10 is no duration/],
  ]
  for (const [expression, fault] of wrong) assert.throws(() => checkExpression(expression, series), fault, expression)
})
