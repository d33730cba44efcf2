import { createHash } from 'node:crypto'
import { sessionKey } from '../../src/session/session-keys.ts'

export const SLOTS = 16_384
/** Of a store without a `prefix` in its URL. */
export const OWN_PREFIX = 'oten-bff:'

/** CRC16-CCITT (XModem), as Redis Cluster places its keys by. */
export function crc16(text: string): number {
  let crc = 0
  for (const octet of Buffer.from(text)) {
    crc ^= octet << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc
}

/** Where a cluster keeps a key: by what stands in its first braces, or by the whole. */
export function slotOf(key: string): number {
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(key) ?? []
  return crc16(tag ?? key) % SLOTS
}

/** Slots in ranges of about the same length, as `redis-cli --cluster create` gives them out. */
const nodeOfSlot = (slot: number, nodes: number): number => Math.floor((slot * nodes) / SLOTS)
export const nodeOf = (key: string, nodes: number): number => nodeOfSlot(slotOf(key), nodes)

/** Which key of a session that never was: the same in every run. */
export const sampleKey = (n: number): string =>
  OWN_PREFIX + sessionKey(`b_${createHash('sha256').update(String(n)).digest('base64url')}`)

/** So many sessions show how the slots fill; more fill them more evenly still. */
const SAMPLE_MAX = 100_000
let sample: Uint16Array | undefined

/** How much more than its share the fullest of the nodes has. */
export function measureSkew(nodes: number, sessions: number): number {
  sample ??= Uint16Array.from({ length: SAMPLE_MAX }, (_, n) => slotOf(sampleKey(n)))
  const counts = new Array<number>(nodes).fill(0)
  const count = Math.min(sessions, SAMPLE_MAX)
  for (const slot of sample.subarray(0, count)) {
    const node = nodeOfSlot(slot, nodes)
    counts[node] = (counts[node] ?? 0) + 1
  }
  return (Math.max(...counts) * nodes) / count - 1
}
