import { isIP } from 'node:net'
import type { Report } from './findings.ts'
import { splitList } from './lists.ts'

/**
 * Addresses and networks whose `X-Forwarded-For` counts. A network of everyone is refused: it would let each caller
 * choose the address by which it is limited and logged.
 */
export function parseTrustedProxies(value: string, report: Report): readonly string[] {
  const networks = new Set<string>()
  for (const entry of splitList(value, report)) {
    const [address = '', bits, ...rest] = entry.text.split('/')
    const version = isIP(address)
    const width = version === 4 ? 32 : 128
    const valid = version !== 0 && !address.includes('%') && rest.length === 0
    if (!valid || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width))) {
      entry.report('must be an IP address or a CIDR such as 10.0.0.0/8 or fd00::/8')
    } else if (bits !== undefined && Number(bits) === 0) {
      entry.report('must not be a network of every address; name the networks of your proxies')
    } else networks.add(entry.text)
  }
  return Object.freeze([...networks])
}
