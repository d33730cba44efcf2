import { createPrivateKey, sign } from 'node:crypto'
import type { createSelfSigned } from '../idp/self-signed.ts'

type Certificate = ReturnType<typeof createSelfSigned>

const LAST_DAY = '491231235959Z'
const LONG_AGO = '200102000000Z'

/** The same certificate with an end that is past, signed anew. */
export function expire({ key, cert }: Certificate): Certificate {
  const certificate = Buffer.from(cert.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  certificate.set(Buffer.from(LONG_AGO), certificate.indexOf(LAST_DAY))
  // SEQUENCE { what is signed, the algorithm, the signature }, each of the outer two with a length of two octets.
  const signed = certificate.subarray(4, 8 + certificate.readUInt16BE(6))
  const signature = sign(null, signed, createPrivateKey(key))
  certificate.set(signature, certificate.length - signature.length)
  const pem = certificate.toString('base64').replace(/.{64}/g, '$&\n')
  return { key, cert: `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n` }
}
