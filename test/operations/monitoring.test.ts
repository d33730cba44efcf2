import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { createMetrics } from '../../src/metrics.ts'

const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const guide = read('docs/operations.md')

interface Alert {
  readonly alert: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { expr: string; refId: string }[]
}

const alerts = (parse(read('docs/alerts.yaml')) as { groups: { rules: Alert[] }[] }).groups.flatMap(
  ({ rules }) => rules,
)
const { panels } = JSON.parse(read('docs/grafana-dashboard.json')) as { panels: readonly Panel[] }

test('every alert says how grave it is, what happens, and where the guide says what to do', () => {
  assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
  for (const { alert, labels, annotations, ...rule } of alerts) {
    assert.match(alert, /^OtenBff[A-Za-z]+$/)
    assert.ok(['page', 'ticket'].includes(labels.severity), alert)
    if (rule.for !== undefined) assert.match(rule.for, /^\d+m$/, alert)
    assert.deepEqual(Object.keys(annotations), ['summary', 'description', 'runbook'], alert)
    for (const text of Object.values(annotations)) assert.ok(text.length > 20, alert)
    assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    const [, section = ''] = guide.split(`\n### ${alert}\n`)
    assert.ok((section.split('\n#')[0] ?? '').trim().length > 60, `${alert}: the guide has no section about it`)
  }
  const explained = [...guide.matchAll(/^### (OtenBff\w+)$/gm)].map(([, alert]) => alert)
  assert.deepEqual(explained.toSorted(), alerts.map(({ alert }) => alert).toSorted())
})

test('the dashboard shows every metric of the service, and times by their median, 95th and 99th percentile', () => {
  const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n')
  const metrics = createMetrics().registry.getMetricsAsArray()
  for (const { name } of metrics) assert.ok(shown.includes(name), name)
  for (const name of metrics.filter(({ type }) => String(type) === 'histogram').map(({ name: metric }) => metric)) {
    for (const quantile of ['0.5', '0.95', '0.99']) {
      assert.ok(
        shown.includes(`histogram_quantile(${quantile}, sum by (le) (rate(${name}_bucket`),
        `${name} ${quantile}`,
      )
    }
  }
})

test('no two panels of the dashboard overlap, or have one number or one title', () => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
  )
  assert.equal(new Set(cells).size, cells.length)
  assert.ok(panels.every(({ gridPos: { x, w } }) => x + w <= 24))
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length)
  for (const { title, targets = [] } of panels) {
    assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
  }
})
