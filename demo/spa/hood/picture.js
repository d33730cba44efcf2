import { listCarried } from './carried.js'
import { PARTIES } from './words.js'

const SVG = 'http://www.w3.org/2000/svg'
const ROW = 38
const HEAD = 46
const HEAD_WIDTH = 76
const EDGE = HEAD_WIDTH / 2 + 2
const CHARACTER = 7.1
const TIP = 7

function createSvg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
  element.append(...children)
  return element
}

const createText = (text, attributes) => createSvg('text', { 'text-anchor': 'middle', ...attributes }, text)

/** What stands at an arrow; the list below has it in full. */
const labelOf = ({ isRequest, exchange: { method, path, answer } }) =>
  isRequest ? `${method} ${path.split('?', 1)[0]}` : String(answer.status || 'no answer')

/** Where text of this length has its middle, so that it lies within the picture. */
function placeLabel(label, middle, width) {
  const half = (label.length * CHARACTER) / 2 + 4
  return Math.min(Math.max(middle, half), Math.max(width - half, half))
}

function drawArrow(message, row, columns, width) {
  const { from, to, isRequest, exchange } = message
  const [start, end] = [columns[from], columns[to]]
  const y = HEAD + row * ROW + 28
  const back = end > start ? -TIP : TIP
  const [label, carried] = [labelOf(message), listCarried(message)]
  const lengthMax = Math.floor((width - 8) / CHARACTER)
  const full = [label, ...carried].join(' + ')
  const text = full.length > lengthMax ? `${full.slice(0, lengthMax - 1)}…` : full
  const isBad = !isRequest && (exchange.answer.status >= 400 || exchange.answer.status === 0)
  const kind = isRequest ? 'request' : isBad ? 'answer bad' : 'answer'
  const tip = `M ${end + back} ${y - 5} L ${end} ${y} L ${end + back} ${y + 5}`
  return createSvg(
    'g',
    {
      class: `arrow ${kind}`,
      'data-from': from,
      'data-to': to,
      'data-label': label,
      'data-carried': carried.join(' + '),
    },
    createSvg('path', { class: 'shaft', d: `M ${start} ${y} L ${end} ${y}` }),
    createSvg('path', { class: 'tip', d: tip }),
    createText(text, { x: placeLabel(text, (start + end) / 2, width), y: y - 9 }),
  )
}

function drawParty(party, x, height) {
  return createSvg(
    'g',
    { class: 'party', 'data-party': party },
    createSvg('path', { class: 'lifeline', d: `M ${x} ${HEAD - 14} L ${x} ${height}` }),
    createSvg('rect', { x: x - HEAD_WIDTH / 2, y: 2, width: HEAD_WIDTH, height: 30, rx: 9 }),
    createText(PARTIES[party], { x, y: 22 }),
  )
}

/**
 * Draws messages as a sequence diagram: a lifeline for each party that takes part, time from top to bottom.
 *
 * @param width in CSS pixels
 */
export function drawPicture(messages, width) {
  const parties = Object.keys(PARTIES).filter((party) =>
    messages.some(({ from, to }) => from === party || to === party),
  )
  const step = (width - 2 * EDGE) / Math.max(1, parties.length - 1)
  const columns = Object.fromEntries(parties.map((party, index) => [party, EDGE + index * step]))
  const height = HEAD + messages.length * ROW + 12
  const title = `Sequence of ${messages.length} messages between ${parties.map((party) => PARTIES[party]).join(', ')}; the list below says the same`
  return createSvg(
    'svg',
    { class: 'picture', role: 'img', 'aria-label': title, viewBox: `0 0 ${width} ${height}`, width, height },
    ...parties.map((party) => drawParty(party, columns[party], height)),
    ...messages.map((message, row) => drawArrow(message, row, columns, width)),
  )
}
