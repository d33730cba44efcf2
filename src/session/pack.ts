/** A compact JWS has three parts (RFC 7515 §7.1), a compact JWE five (RFC 7516 §7.1), an opaque token mostly one. */
const PARTS_MAX = 5

/** What comes before a text; for one in base64url the number of its parts. */
const ABSENT = 0
const PLAIN = PARTS_MAX + 1

/**
 * Texts as octets. One that consists of base64url between dots, as most tokens do, is kept as the octets that it stands
 * for, a quarter less; any other as UTF-8. No compression: its length would tell of what is in the texts.
 */
export function pack(texts: readonly (string | undefined)[]): Buffer {
  return Buffer.concat(texts.flatMap(packText))
}

function packText(text: string | undefined): Uint8Array[] {
  if (text === undefined) return [Buffer.of(ABSENT)]
  const parts = decodeParts(text)
  if (parts === undefined) return [Buffer.of(PLAIN), ...measured(Buffer.from(text))]
  return [Buffer.of(parts.length), ...parts.flatMap(measured)]
}

/** @returns undefined unless the very same text can be made of the octets again */
function decodeParts(text: string): Buffer[] | undefined {
  const parts = text.split('.', PARTS_MAX + 1)
  if (parts.length > PARTS_MAX) return undefined
  const decoded = parts.map((part) => Buffer.from(part, 'base64url'))
  return encodeParts(decoded) === text ? decoded : undefined
}

const encodeParts = (parts: readonly Buffer[]): string => parts.map((part) => part.toString('base64url')).join('.')

/** With its length before it: seven bits an octet, the lowest first, the eighth says that more follow. */
function measured(octets: Buffer): Buffer[] {
  const length: number[] = []
  let rest = octets.length
  for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
  return [Buffer.of(...length, rest), octets]
}

/** @throws {RangeError} when these are not octets that `pack` made */
export function unpack(octets: Buffer): (string | undefined)[] {
  const texts: (string | undefined)[] = []
  let at = 0
  const readOctet = (): number => octets.readUInt8(at++)
  const readMeasured = (): Buffer => {
    let length = 0
    for (let shift = 0, more = true; more; shift += 7) {
      const octet = readOctet()
      length |= (octet & 0x7f) << shift
      more = octet > 0x7f
    }
    if (at + length > octets.length) throw new RangeError('cut short')
    at += length
    return octets.subarray(at - length, at)
  }
  while (at < octets.length) {
    const kind = readOctet()
    if (kind > PLAIN) throw new RangeError('not packed by us')
    if (kind === ABSENT) texts.push(undefined)
    else if (kind === PLAIN) texts.push(readMeasured().toString())
    else texts.push(encodeParts(Array.from({ length: kind }, readMeasured)))
  }
  return texts
}
