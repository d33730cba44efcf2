import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Config } from '../config.ts'
import type { Handoffs } from '../login/handoff.ts'
import { sendPage } from '../plugins/page.ts'
import { setSecurityHeaders } from '../plugins/security-headers.ts'

interface Deps {
  readonly config: Config
  readonly handoffs: Handoffs
}

/**
 * GET on a claimed https link that lies on our own origin: the phone opened it in a browser, so the app is not there.
 * The code has then been in a place it was not meant for, and is burnt (MH-12).
 */
export const appLanding: FastifyPluginAsyncTypebox<Deps> = async (app, { config, handoffs }) => {
  for (const path of findOwnPaths(config)) {
    app.get(
      path.replaceAll(':', '::'), // A colon of the path, not the beginning of a parameter.
      { config: { access: 'public', from: 'anywhere', page: true }, schema: { hide: true } },
      async (request, reply) => {
        const code = new URL(request.url, config.publicUrl).searchParams.get('code')
        if (code !== null && code.length <= 512) await handoffs.burn(code)
        setSecurityHeaders(reply, config.secure)
        return sendPage(reply, {
          title: 'The app did not open',
          text: 'Open the app on this device and sign in again.',
        })
      },
    )
  }
}

/** `/auth/` and `/api/` are taken: a deep link there would shadow a route of ours. */
function findOwnPaths({ apps, publicUrl }: Config): string[] {
  const links = [...apps.values()].map(({ deepLink }) => deepLink).filter((link) => link.startsWith(`${publicUrl}/`))
  return [...new Set(links.map((link) => new URL(link).pathname))].filter((path) => !/^\/(auth|api)(\/|$)/.test(path))
}
