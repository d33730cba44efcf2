import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Idp } from '../idp/idp.ts'
import type { Store } from '../store/store.ts'

const Check = Type.Object({ status: Type.String(), reason: Type.Optional(Type.String()) })
const Ready = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('unavailable')]),
  checks: Type.Object({ store: Check, idp: Check }),
})

/** A prober gives up after a second (Kubernetes' default), and would not hear the reason. */
const STORE_WAIT_MS = 800

interface Deps {
  readonly store: Store
  readonly idp: Idp
}

/** GET /health/live: the process answers. GET /health/ready: whether it should get traffic, with a reason per dependency. */
export const health: FastifyPluginAsyncTypebox<Deps> = async (app, { store, idp }) => {
  const rules = { access: 'public', from: 'anywhere' } as const

  app.get(
    '/health/live',
    { config: rules, schema: { response: { 200: Type.Object({ status: Type.Literal('ok') }) } } },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      return { status: 'ok' as const }
    },
  )

  app.get(
    '/health/ready',
    { config: rules, schema: { response: { 200: Ready, 503: Ready } } },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      const checks = { store: await checkStore(store), idp: checkIdp(idp) }
      const states = Object.values(checks).map(({ status }) => status)
      // Metadata that says something wrong is no state to serve in; an IdP that is silent is, for those signed in (CF-07).
      if (states.includes('unavailable') || states.includes('unusable')) reply.code(503)
      const status = reply.statusCode === 503 ? 'unavailable' : states.includes('degraded') ? 'degraded' : 'ok'
      return { status, checks } as const
    },
  )
}

const wait = (ms: number): Promise<false> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(false), ms).unref()
  })

async function checkStore(store: Store): Promise<{ status: string; reason?: string }> {
  const answers = await Promise.race([store.ping().then(() => true), wait(STORE_WAIT_MS)]).catch(() => false)
  return answers ? { status: 'ok' } : { status: 'unavailable', reason: 'the session store does not answer' }
}

function checkIdp(idp: Idp): { status: string; reason?: string } {
  const { state, reason } = idp.metadata.status()
  return reason === undefined ? { status: state } : { status: state, reason }
}
