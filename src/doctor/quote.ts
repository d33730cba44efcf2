const LENGTH_MAX = 200

/** What could be a token, a key or a request object, whole or in part; no error code is as long. */
const LONG = /eyJ[\w.-]*|[A-Za-z0-9_+/=-]{28,}(?:\.[A-Za-z0-9_+/=-]*)*/g

/**
 * The IdP's own words, fit to be shown: they are often the quickest way to the reason, and may repeat what was sent.
 *
 * @returns nothing for nothing
 */
export function quote(text: string): string {
  const plain = text
    .replaceAll(LONG, '[…]')
    .replaceAll(/[^ -~…]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  if (plain === '') return ''
  return `, saying "${plain.length > LENGTH_MAX ? `${plain.slice(0, LENGTH_MAX)}…` : plain}"`
}
