import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { assertRefused, findFaults, VALID_ENV } from './valid-env.ts'

const TYPOS: readonly (readonly [name: string, hint: RegExp])[] = [
  ['OTEN_ISUER', /did you mean OTEN_ISSUER\?/],
  ['OTEN_CLIENT_SECRETS', /did you mean OTEN_CLIENT_SECRET\?/],
  ['OTEN_CLIENT_ID_FILE', /did you mean OTEN_CLIENT_ID\?/],
  ['JAR_TTL', /did you mean JAR_TTL_S\?/],
  ['JAR_KEY', /did you mean JAR_KEYS\?/],
  ['JAR_KEYS_FIEL', /did you mean JAR_KEYS_FILE\?/],
  ['SESSION_SAMESITE', /did you mean SESSION_SAME_SITE\?/],
  ['SESSION_KEYS_FILE_', /did you mean SESSION_KEYS_FILE\?/],
  ['SESSION_SERVICE_HOSTS', /is not a known variable/],
  ['OTEN_SOMETHING_ELSE_ALTOGETHER', /is not a known variable; remove it/],
]

for (const [name, hint] of TYPOS) {
  test(`CF-01 the unknown name ${name} is refused`, () => {
    assertRefused({ ...VALID_ENV, [name]: 'c4nary' }, name, hint, ['c4nary'])
  })
}

test('CF-01 what Kubernetes injects for services below our prefixes is not a typo', () => {
  const injected = {
    OTEN_BFF_SERVICE_HOST: '10.0.0.1',
    OTEN_BFF_SERVICE_PORT: '80',
    OTEN_BFF_SERVICE_PORT_HTTP: '80',
    OTEN_BFF_PORT: 'tcp://10.0.0.1:80',
    OTEN_BFF_PORT_80_TCP: 'tcp://10.0.0.1:80',
    OTEN_BFF_PORT_80_TCP_PROTO: 'tcp',
    SESSION_STORE_SERVICE_HOST: '10.0.0.2',
    JAR_PORT: 'tcp://10.0.0.3:80',
  }
  assert.deepEqual(findFaults({ ...VALID_ENV, ...injected }), [])
})

test('names of other programs do not matter', () => {
  const short = { APP: 'x', HOSTS: 'x', PATH: '/bin', LOG_LEV: 'x', OTENX: 'x' }
  const { warnings } = loadConfig({ ...VALID_ENV, ...short, MY_OTEN_ISSUER: 'x', LOG_LEVEL_XY: 'x' })
  assert.deepEqual(warnings, [])
})

test('a near miss outside our prefixes is a warning', () => {
  const { warnings } = loadConfig({
    ...VALID_ENV,
    RATE_LIMIT_PER_MINUTES: '10',
    LOG_LEVL: 'c4nary',
    LOG_LEVEL_X: 'c4nary',
  })
  assert.deepEqual(warnings, [
    'RATE_LIMIT_PER_MINUTES: is not a known variable and has no effect; did you mean RATE_LIMIT_PER_MINUTE?',
    'LOG_LEVL: is not a known variable and has no effect; did you mean LOG_LEVEL?',
    'LOG_LEVEL_X: is not a known variable and has no effect; did you mean LOG_LEVEL?',
  ])
})
