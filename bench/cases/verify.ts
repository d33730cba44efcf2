import type { Case } from '../compare.ts'
import { bare, type Contender, type Question, type StartContender, signedIn } from '../contender.ts'
import { buildRequest, cycle } from '../load/requests.ts'
import type { Place } from '../places.ts'
import { startNginx } from '../servers/nginx.ts'
import { startServer } from '../servers/spawn.ts'
import type { Stage } from '../stage.ts'

const VERIFY: Question = {
  path: '/auth/verify',
  expected: { status: 204, contains: 'x-auth-subject: user-' },
  listener: 'admin',
}

/** The question of a reverse proxy. */
export const verify = (place: Place): Case => ({
  name: `verify, ${place.name}, of bare Fastify`,
  subject: signedIn(place, VERIFY),
  other: bare,
})

/** nginx with `auth_request` before the same application, asking us or an endpoint that always says yes. */
export const verifyBehindNginx = (stage: Stage, place: Place): Case => ({
  name: 'nginx + verify, of nginx + an endpoint that says yes',
  subject: behindNginx(stage, signedIn(place, VERIFY)),
  other: behindNginx(stage, async () => {
    const server = await startServer({ kind: 'trivial-auth' }, { isMeasured: true })
    return { ...server, next: cycle([buildRequest({ path: '/' })]), expected: VERIFY.expected }
  }),
})

/** The CPU that counts is that of the server which nginx asks. */
const behindNginx =
  (stage: Stage, start: StartContender): StartContender =>
  async (): Promise<Contender> => {
    const asked = await start()
    const { port: appPort } = await stage.upstream()
    const nginx = await startNginx(asked.port, appPort)
    return {
      ...asked,
      port: nginx.port,
      expected: { status: 200, contains: '"orders"' },
      async stop() {
        await nginx.stop()
        await asked.stop()
      },
    }
  }
