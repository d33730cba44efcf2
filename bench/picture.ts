import type { Comparison } from './results.ts'
import { RATIOS_MIN } from './targets.ts'

/** Where the README finds it. */
export const PICTURE = new URL('../docs/images/bench.svg', import.meta.url)

const WIDTH = 820
const LABEL_WIDTH = 400
const BAR_HEIGHT = 16
const ROW_HEIGHT = 26
const TOP = 56
const BOTTOM = 40
/** How long a bar of 1 is. */
const ONE = 350

const STYLE = `
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .heading { font-weight: 600; font-size: 15px }
    .note { fill: #59636e; font-size: 12px }
    .bar { fill: #0969da }
    .one { stroke: #59636e; stroke-dasharray: 3 3 }
    .target { stroke: #bc4c00; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .note { fill: #9198a1 }
      .bar { fill: #4493f8 }
      .one { stroke: #9198a1 }
      .target { stroke: #f0883e }
    }`

/** The ratios as horizontal bars, for light and dark pages. It shows what `results.json` says, and nothing else. */
export function drawPicture({ results }: { readonly results: readonly Pick<Comparison, 'case' | 'ratio'>[] }): string {
  const height = TOP + results.length * ROW_HEIGHT + BOTTOM
  const summary = results.map((result) => `${result.case}: ${result.ratio.toFixed(2)}`).join('; ')
  const end = height - BOTTOM + 6
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title summary">
  <title id="title">Throughput of oten-bff as a ratio</title>
  <desc id="summary">${escapeText(summary)}</desc>
  <style>${STYLE}
  </style>
  <text class="heading" x="16" y="26">Throughput as a ratio: 1.00 is as fast as what it is held against</text>
  <line class="one" x1="${LABEL_WIDTH + ONE}" y1="${TOP - 10}" x2="${LABEL_WIDTH + ONE}" y2="${end}" />
${results.map(drawRow).join('\n')}
  <line class="target" x1="${LABEL_WIDTH}" y1="${height - 22}" x2="${LABEL_WIDTH}" y2="${height - 10}" />
  <text class="note" x="${LABEL_WIDTH + 8}" y="${height - 12}">the least it has to be</text>
</svg>
`
}

function drawRow({ case: name, ratio }: Pick<Comparison, 'case' | 'ratio'>, row: number): string {
  const top = TOP + row * ROW_HEIGHT
  const end = LABEL_WIDTH + Math.round(ratio * ONE)
  const min = RATIOS_MIN[name]
  const mark = min === undefined ? undefined : LABEL_WIDTH + Math.round(min * ONE)
  return [
    `  <text x="${LABEL_WIDTH - 10}" y="${top + 13}" text-anchor="end">${escapeText(name)}</text>`,
    `  <rect class="bar" x="${LABEL_WIDTH}" y="${top}" width="${end - LABEL_WIDTH}" height="${BAR_HEIGHT}" rx="2" />`,
    ...(mark === undefined
      ? []
      : [`  <line class="target" x1="${mark}" y1="${top - 3}" x2="${mark}" y2="${top + BAR_HEIGHT + 3}" />`]),
    `  <text x="${Math.max(end, mark ?? 0) + 8}" y="${top + 13}">${ratio.toFixed(2)}</text>`,
  ].join('\n')
}

const escapeText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
