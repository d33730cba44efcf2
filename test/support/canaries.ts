/**
 * What a marked value is. Each may be seen in the places where it belongs, and nowhere else (`witness.ts` knows them).
 */
export const KINDS = [
  'client-secret',
  'client-credentials', // As they stand in `Authorization: Basic`, encoded.
  'jar-key',
  'assertion-key',
  'client-assertion',
  'session-keys',
  'admin-token',
  'redis-password',
  'request-object',
  'state',
  'nonce',
  'jti',
  'code',
  'code-verifier',
  'access-token',
  'refresh-token',
  'id-token',
  'logout-token',
  'session-cookie',
  'session-token',
  'transaction-cookie',
  'app-verifier',
  'app-state',
  'handoff-code',
  'ticket',
  'logout-state',
  'page-data', // In the query of a return target, or of a call: the page's own affair.
  'login-hint',
  'idp-text', // What the IdP says in its own words.
  'caller-text', // What a caller made up.
] as const

export type Kind = (typeof KINDS)[number]

/** A marked value that was seen. Names it, and does not show it. */
export interface Sighting {
  readonly kind: Kind
  readonly form: string
}

export interface Canaries {
  /** Marks values of at least `SHORTEST` characters; an absent one is an error, for then nothing would be looked for. */
  mark(kind: Kind, ...values: readonly (string | null | undefined)[]): void
  /** Marks the octets that a base64url text stands for as well: keys are written as one and held as the other. */
  markKey(kind: Kind, base64url: string): void
  /** Marks a compact JWS, its payload, its signature, and those of its claims that are named. */
  markJws(kind: Kind, jws: string | undefined, claims?: Readonly<Record<string, Kind>>): void
  /** What of all that is marked stands in a text, whole, from its beginning or up to its end. */
  find(text: string, allowed?: readonly Kind[]): Sighting[]
  /** Kinds of which something was marked. */
  marked(): ReadonlySet<Kind>
}

export const SHORTEST = 12

/** Long enough not to be met by accident, short enough to find what was cut to size for a log line. */
const PIECE = 12

/** All needles begin with so many characters by which they are looked up. */
const LOOK_UP = 8

const formEncode = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1)
const escapeJson = (text: string): string => JSON.stringify(text).slice(1, -1)
const escapeHtml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
const lowerPercents = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase())

/** The part of a base64 text that is the same whatever stands before and after, for each of the three ways to fall. */
function encodeBase64(octets: Buffer, alphabet: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), octets]).toString(alphabet)
    const whole = Math.floor(((before + octets.length) * 8) / 6)
    return text.slice([0, 2, 3][before], whole)
  })
}

/** How octets may be written. */
const octetForms = (octets: Buffer): Readonly<Record<string, readonly string[]>> => ({
  base64: encodeBase64(octets, 'base64'),
  base64url: encodeBase64(octets, 'base64url'),
  hex: [octets.toString('hex'), octets.toString('hex').toUpperCase()],
  'a printed Buffer': [octets.toString('hex').replaceAll(/..(?!$)/g, '$& ')],
  'the JSON of a Buffer': [octets.join(',')],
})

/** How a text may be written, by the name of the form. Texts that differ in nothing from the plain one are left out. */
export function encodeAll(text: string): ReadonlyMap<string, readonly string[]> {
  const percent = [encodeURIComponent(text), formEncode(text)]
  const octets = Buffer.from(text)
  const all = octets.toString('hex').replaceAll(/../g, '%$&')
  const basic = octetForms(Buffer.from(formEncode(text)))
  const forms = {
    plain: [text],
    'URL-encoded': [...percent, ...percent.map(lowerPercents), all, all.toUpperCase()],
    'JSON-escaped': [escapeJson(text), escapeJson(escapeJson(text))],
    'HTML-escaped': [escapeHtml(text)],
    ...octetForms(octets),
    'base64 of URL-encoded': [...(basic.base64 ?? []), ...(basic.base64url ?? [])],
  }
  const others = Object.entries(forms).map(([name, values]): [string, string[]] => [
    name,
    [...new Set(values)].filter((value) => name === 'plain' || value !== text),
  ])
  return new Map(others.filter(([, values]) => values.length > 0))
}

interface Needle extends Sighting {
  readonly piece: string
}

export function createCanaries(): Canaries {
  const needles = new Map<string, Needle[]>()
  const known = new Set<string>()
  const kinds = new Set<Kind>()

  const addNeedle = (kind: Kind, form: string, piece: string): void => {
    if (piece.length < LOOK_UP || known.has(`${kind} ${piece}`)) return
    known.add(`${kind} ${piece}`)
    const start = piece.slice(0, LOOK_UP)
    needles.set(start, [...(needles.get(start) ?? []), { kind, form, piece }])
  }
  const addForms = (kind: Kind, forms: Iterable<readonly [string, readonly string[]]>): void => {
    kinds.add(kind)
    for (const [form, values] of forms) {
      for (const value of values)
        for (const piece of [value.slice(0, PIECE), value.slice(-PIECE)]) addNeedle(kind, form, piece)
    }
  }

  const canaries: Canaries = {
    mark(kind, ...values) {
      if (values.length === 0) throw new Error(`nothing to mark as ${kind}`)
      for (const value of values) {
        if (value === undefined || value === null || value.length < SHORTEST) throw new Error(`no ${kind} to mark`)
        addForms(kind, encodeAll(value))
      }
    },

    markKey(kind, base64url) {
      canaries.mark(kind, base64url)
      addForms(kind, Object.entries(octetForms(Buffer.from(base64url, 'base64url'))))
    },

    markJws(kind, jws, claims = {}) {
      const [, payload = '', signature] = (jws ?? '').split('.')
      canaries.mark(kind, payload, signature)
      const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
      for (const [name, claimKind] of Object.entries(claims)) {
        if (said[name] !== undefined) canaries.mark(claimKind, String(said[name]))
      }
    },

    find(text, allowed = []) {
      const seen = new Map<string, Sighting>()
      for (let at = 0; at + LOOK_UP <= text.length; at++) {
        for (const { kind, form, piece } of needles.get(text.slice(at, at + LOOK_UP)) ?? []) {
          if (!allowed.includes(kind) && text.startsWith(piece, at)) seen.set(`${kind} ${form}`, { kind, form })
        }
      }
      return [...seen.values()]
    },

    marked: () => kinds,
  }
  return canaries
}
