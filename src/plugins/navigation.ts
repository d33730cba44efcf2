import type { FastifyRequest } from 'fastify'

/**
 * True when the caller is a browser going to a page, which can follow a redirect and shows HTML; false for a fetch,
 * which can do neither (contract §4). Browsers say so themselves (Fetch Metadata); without that, `Accept` decides.
 */
export function isNavigation({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  const mode = headers['sec-fetch-mode']
  return mode === undefined ? !prefersJson(headers.accept) : mode === 'navigate'
}

/** JSON is named and weighs more than HTML, or as much where HTML is meant by a wildcard only (RFC 9110 §12.5.1). */
function prefersJson(accept = ''): boolean {
  const weights = new Map(accept.split(',').map(parseMediaRange))
  const json = weights.get('application/json') ?? 0
  const namedHtml = weights.get('text/html')
  const html = namedHtml ?? weights.get('text/*') ?? weights.get('*/*') ?? 0
  return json > 0 && (namedHtml === undefined ? json >= html : json > html)
}

function parseMediaRange(range: string): [type: string, weight: number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  return [type, weight === undefined ? 1 : Number.parseFloat(weight.slice(2)) || 0]
}
