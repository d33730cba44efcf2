import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildService, type Service } from '../plugins/build-service.ts'
import { hostileText, madeOf } from './arbitraries.ts'
import { hold } from './settings.ts'

const PROXIES = ['10.0.0.1', '10.255.255.255', '127.0.0.1', 'fd00::1']
const CLIENTS = [
  '192.0.2.1',
  '198.51.100.7',
  '2001:db8::1',
  '11.0.0.1',
  '126.255.255.255',
  'fe00::1',
  'unknown',
  '_hidden',
  '999.1.1.1',
]

/** A start, which is the one thing that is limited by address, so that every part that reads one has its turn. */
async function start({ inject, entries, logs }: Service, from: string, forwarded: string) {
  logs.length = 0
  const headers = { 'sec-fetch-mode': 'cors', 'x-forwarded-for': forwarded }
  const { statusCode } = await inject({ url: '/auth/start', remoteAddress: from, headers })
  return { statusCode, ip: entries().find(({ msg }) => msg === 'request')?.ip }
}

const space = fc.constantFrom('', ' ', '  ', '\t')
const listed = fc
  .array(fc.tuple(space, fc.constantFrom('', ...PROXIES, ...CLIENTS), space), { maxLength: 6 })
  .map((parts) => parts.map(([before, address, after]) => before + address + after).join(','))
const anything = fc.oneof(
  listed,
  madeOf(['1', '.', ':', ',', '::', 'f', '[', ']', '%eth0', ' ', '"', '/8', '255']),
  hostileText,
)
/** What can stand in a header at all. */
const header = anything.map((text) => text.replaceAll(/[^\t -~\x80-\xff]/g, '?').trim())

const limited = { RATE_LIMIT_PER_MINUTE: '1000000' }

test('CF-04: whatever X-Forwarded-For says, a caller that is no trusted proxy counts by the address it calls from', async (t) => {
  const service = await buildService(t, { env: { ...limited, TRUSTED_PROXIES: '10.0.0.0/8' } })
  await hold(
    t,
    fc.asyncProperty(fc.constantFrom('192.0.2.9', '2001:db8::9', '11.0.0.1'), header, async (from, forwarded) => {
      assert.deepEqual(await start(service, from, forwarded), { statusCode: 200, ip: from })
    }),
    { share: 0.25 },
  )
})

test('CF-04: behind trusted proxies a caller counts by the last address that is not one of them, and by no other', async (t) => {
  const service = await buildService(t, { env: { ...limited, TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.0/8,fd00::/8' } })
  await hold(
    t,
    fc.asyncProperty(fc.constantFrom(...PROXIES), listed, async (from, forwarded) => {
      const addresses = forwarded
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
      const client = addresses.findLast((address) => !PROXIES.includes(address)) ?? addresses[0] ?? from
      assert.deepEqual(await start(service, from, forwarded.trim()), { statusCode: 200, ip: client })
    }),
    { share: 0.25 },
  )
})

test('CF-04: nothing in X-Forwarded-For, from whomever, makes a request fail', async (t) => {
  const service = await buildService(t, { env: { ...limited, TRUSTED_PROXIES: '10.0.0.0/8' } })
  await hold(
    t,
    fc.asyncProperty(header, async (forwarded) => {
      const { statusCode, ip } = await start(service, '10.0.0.1', forwarded)
      assert.equal(statusCode, 200)
      assert.ok(ip === '10.0.0.1' || forwarded.includes(String(ip)), String(ip))
    }),
    { share: 0.25 },
  )
})
