/** One value of the Redis protocol (RESP2, RESP3): its strings, nested ones included, and how long it was on the wire. */
export interface RespValue {
  readonly strings: readonly string[]
  readonly octets: number
}

const NEWLINE = Buffer.from('\r\n')

/** Types whose head says how many values follow; those of a map come in pairs. */
const AGGREGATES: Readonly<Record<string, number>> = { '*': 1, '~': 1, '>': 1, '%': 2 }
/** Types whose head says how many octets follow. */
const BULKS = new Set(['$', '=', '!'])

interface Read {
  readonly strings: readonly string[]
  readonly end: number
}

/** Cuts a stream of octets into values; what is not whole yet waits for the next chunk. */
export function createRespReader(onValue: (value: RespValue) => void): (chunk: Buffer) => void {
  let waiting: Buffer = Buffer.alloc(0)
  return (chunk) => {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk])
    for (let value = readValue(waiting, 0); value !== undefined; value = readValue(waiting, 0)) {
      waiting = waiting.subarray(value.end)
      onValue({ strings: value.strings, octets: value.end })
    }
  }
}

function readValue(octets: Buffer, start: number): Read | undefined {
  const newline = octets.indexOf(NEWLINE, start)
  if (newline === -1) return undefined
  const type = String.fromCharCode(octets[start] ?? 0)
  const head = octets.toString('latin1', start + 1, newline)
  const end = newline + NEWLINE.length
  if (BULKS.has(type)) return readBulk(octets, Number(head), end)
  const factor = AGGREGATES[type]
  return factor === undefined ? { strings: [head], end } : readAggregate(octets, Number(head) * factor, end)
}

function readBulk(octets: Buffer, length: number, start: number): Read | undefined {
  if (length < 0) return { strings: [''], end: start }
  const end = start + length + NEWLINE.length
  return octets.length < end ? undefined : { strings: [octets.toString('latin1', start, start + length)], end }
}

function readAggregate(octets: Buffer, count: number, start: number): Read | undefined {
  const strings: string[] = []
  let end = start
  for (let index = 0; index < count; index++) {
    const value = readValue(octets, end)
    if (value === undefined) return undefined
    strings.push(...value.strings)
    end = value.end
  }
  return { strings, end }
}
