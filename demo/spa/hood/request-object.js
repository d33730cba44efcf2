import { byId, create } from '../dom.js'
import { verifySignature } from './signature.js'
import { CLAIMS } from './words.js'

/** Instants, which people read as a time of day. */
const INSTANTS = new Set(['iat', 'nbf', 'exp'])

/** Worth something to nobody but the service, which knows them anyway. */
const MASKED = new Set(['state', 'nonce'])

const decode = (part) => {
  const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.codePointAt(0),
  )
  return JSON.parse(new TextDecoder().decode(bytes))
}

function describe(name, value) {
  if (MASKED.has(name)) return '•••'
  if (!INSTANTS.has(name)) return String(value)
  return `${value} (${new Date(value * 1000).toLocaleTimeString('en-GB')})`
}

const createRows = (members) =>
  Object.entries(members).map(([name, value]) =>
    create(
      'div',
      { data: { claim: name } },
      create('dt', {}, create('code', { text: name })),
      create('dd', {}, create('code', { text: describe(name, value) }), create('span', { text: CLAIMS[name] ?? '' })),
    ),
  )

let shown

/** Shows the newest request object, and whether the service has signed it. */
export async function showRequestObject(exchanges) {
  const jwt = exchanges.findLast(({ requestObject }) => requestObject !== undefined)?.requestObject
  if (jwt === undefined || jwt === shown) return
  shown = jwt
  const [header, claims] = jwt.split('.', 2).map(decode)
  byId('request-object-header').replaceChildren(...createRows(header))
  byId('request-object-claims').replaceChildren(...createRows(claims))
  byId('request-object').hidden = false
  byId('request-object-empty').hidden = true
  const { verdict, text } = await verifySignature(jwt, header)
  if (jwt !== shown) return
  byId('signature').dataset.verdict = verdict
  byId('signature').textContent = text
}
