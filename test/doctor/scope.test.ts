import { test } from 'node:test'
import type { ApiRoute } from '../../src/config/api-routes.ts'
import { checkScope } from '../../src/doctor/scope.ts'
import { assertCheck } from './patient.ts'

const NAME = 'scope'

const diagnose = (scope: string, prefixes: readonly string[] = []) => {
  const apiRoutes = prefixes.map((prefix): ApiRoute => ({ prefix, methods: ['GET'], upstream: 'http://127.0.0.1' }))
  return checkScope({ idp: { scope }, apiRoutes })
}

test('doctor warns of APIs that are called with tokens nobody can renew', () => {
  assertCheck(diagnose('openid profile', ['/api/x']), 'warn', NAME, /no offline_access/, /add offline_access/)
  assertCheck(
    diagnose('openid offline_access_not', ['/api/x']),
    'warn',
    NAME,
    /no offline_access/,
    /add offline_access/,
  )
  assertCheck(diagnose('openid offline_access', ['/api/x']), 'ok', NAME, /^with offline_access: tokens are renewed$/)
  assertCheck(diagnose('openid profile'), 'ok', NAME, /no offline_access/)
})
