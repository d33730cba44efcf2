import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '../../src/session/record.ts'
import { buildSessionView, pickClaims } from '../../src/session/view.ts'
import { newSession } from '../plugins/build-service.ts'

const NOW = 1_800_000_000

const session: Session = {
  key: 'session:{k}',
  credential: 'b_k',
  lastUsedAt: NOW,
  record: {
    ...newSession(NOW, { claims: { name: 'Ada', sub: 'mallory' } }),
    generation: 1,
    id: 'id-1',
    createdAt: NOW,
    expiresAt: NOW + 3600,
    idleS: 600,
  },
}

test('SE-01: limits are rounded so that nobody waits a second too little, nor uses a token a second too long', () => {
  const view = { authenticated: true, user: { name: 'Ada', sub: 'ada' }, session_id: 'id-1' }
  const at = (now: number) => buildSessionView(session, now)
  assert.deepEqual(at(NOW), { ...view, expires_in: 3600, idle_expires_in: 600, access_token_expires_in: 900 })
  assert.deepEqual(at(NOW + 0.4), { ...view, expires_in: 3600, idle_expires_in: 600, access_token_expires_in: 899 })
  assert.equal(at(NOW + 901).access_token_expires_in, 0)
})

test('ID-17: of the claims only what is named is picked, also where a name is that of something every object has', () => {
  const claims = { name: 'Ada', email: 'ada@example.com', nothing: null }
  assert.deepEqual(pickClaims(claims, ['name', 'nothing', 'absent', 'toString', '__proto__', 'constructor']), {
    name: 'Ada',
    nothing: null,
  })
  assert.deepEqual(pickClaims(claims, []), {})
})
