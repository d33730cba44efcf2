import { generateKeyPairSync, sign } from 'node:crypto'

const der = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
const sequence = (...parts: Buffer[]): Buffer => der(0x30, ...parts)
const EMPTY = Buffer.alloc(0)
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text))

/** Version 3, which has extensions, and the one that names hosts (RFC 5280 §4.1.2.1, §4.2.1.6). */
function buildNames(host: string): { version: Buffer; extensions: Buffer } {
  const names = sequence(der(0x82, Buffer.from(host)))
  const subjectAltName = sequence(der(0x06, Buffer.from([0x55, 0x1d, 0x11])), der(0x04, names))
  return { version: der(0xa0, der(0x02, Buffer.from([2]))), extensions: der(0xa3, sequence(subjectAltName)) }
}

/**
 * A certificate that nobody vouches for, made on the spot (RFC 5280 §4.1, RFC 8410). Its common name is `localhost`.
 *
 * @param host in its subjectAltName; absent: it has none
 */
export function createSelfSigned(host?: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const ed25519 = sequence(der(0x06, Buffer.from([0x2b, 0x65, 0x70])))
  const commonName = sequence(der(0x06, Buffer.from([0x55, 0x04, 0x03])), der(0x0c, Buffer.from('localhost')))
  const name = sequence(der(0x31, commonName))
  const { version, extensions } = host === undefined ? { version: EMPTY, extensions: EMPTY } : buildNames(host)
  const tbs = sequence(
    version,
    der(0x02, Buffer.from([1])),
    ed25519,
    name,
    sequence(utcTime('200101000000Z'), utcTime('491231235959Z')),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    extensions,
  )
  const certificate = sequence(tbs, ed25519, der(0x03, Buffer.from([0]), sign(null, tbs, privateKey)))
  const pem = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`,
  }
}
