import { byId, create } from '../dom.js'
import { findJourney, toMessages } from './journeys.js'
import { drawPicture } from './picture.js'
import { PARTIES } from './words.js'

let exchanges = []
let drawn = ''

const chosenKind = () => new FormData(byId('sequence-form')).get('journey')

/** One message in full: who, to whom, what, and the names of what it carries. */
function createLine({ isRequest, from, to, exchange }) {
  const { method, path, headers, body, answer } = exchange
  const what = isRequest ? `${method} ${path}` : String(answer.status || 'no answer')
  const location = answer?.location === undefined ? [] : [`Location: ${answer.location}`]
  const carried = isRequest
    ? [...headers, ...(body === undefined ? [] : [body])]
    : [...location, ...answer.setCookies.map((line) => `Set-Cookie: ${line}`)]
  const line = create(
    'li',
    {},
    create('b', { text: `${PARTIES[from]} → ${PARTIES[to]}` }),
    create('code', { text: what }),
  )
  line.append(...carried.map((text) => create('code', { class: 'carried', text })))
  return line
}

function show() {
  const messages = toMessages(findJourney(chosenKind(), exchanges))
  const width = byId('sequence').parentElement.clientWidth
  const state = JSON.stringify([width, messages.map(({ at, isRequest }) => [at, isRequest])])
  if (state === drawn) return
  drawn = state
  byId('sequence').hidden = messages.length === 0
  byId('sequence-empty').hidden = messages.length > 0
  byId('picture').replaceChildren(drawPicture(messages, width))
  byId('sequence-list').replaceChildren(...messages.map(createLine))
}

/** Draws what happened, and again for another choice or another width. */
export function showSequence(all) {
  exchanges = all
  show()
}

byId('sequence-form').addEventListener('change', show)
new ResizeObserver(show).observe(byId('sequence').parentElement)
