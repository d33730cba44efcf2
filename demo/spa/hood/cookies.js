import { byId, create } from '../dom.js'
import { ATTRIBUTES } from './words.js'

const KINDS = [
  { pattern: /oten_session=[^;]/, title: 'Of the session' },
  { pattern: /oten_tx_[\w-]{8}=[^;]/, title: 'Of a sign-in under way' },
]

function describe(attribute) {
  const [name, value] = attribute.split('=')
  const words = ATTRIBUTES[attribute] ?? ATTRIBUTES[name]
  return typeof words === 'function' ? words(value) : (words ?? '')
}

function createCookie(title, line) {
  const attributes = line.split('; ').slice(1)
  const rows = attributes.map((attribute) =>
    create(
      'div',
      {},
      create('dt', {}, create('code', { text: attribute })),
      create('dd', { text: describe(attribute) }),
    ),
  )
  const set = create('pre', { class: 'line', data: { testid: 'set-cookie' }, text: `Set-Cookie: ${line}` })
  return create(
    'div',
    { class: 'cookie' },
    create('h4', { text: title }),
    set,
    create('dl', { class: 'attributes' }, ...rows),
  )
}

/** Shows the newest cookie of each kind as a browser was given it, without its value; an app keeps its own. */
export function showCookies(exchanges) {
  const lines = exchanges.filter(({ from }) => from === 'browser').flatMap(({ answer }) => answer?.setCookies ?? [])
  const found = KINDS.flatMap(({ pattern, title }) => {
    const line = lines.findLast((candidate) => pattern.test(candidate))
    return line === undefined ? [] : createCookie(title, line)
  })
  byId('cookies').replaceChildren(...found)
  byId('cookies-empty').hidden = found.length > 0
}
