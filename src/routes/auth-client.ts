import { readFileSync } from 'node:fs'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { errorResponses } from './error-body.ts'

const schema = {
  operationId: 'getClient',
  summary: 'The browser client, as one module',
  description: 'For `import … from` or `<script type="module">`, on pages of `PUBLIC_URL` and of allowed origins.',
  tags: ['operation'],
  response: {
    200: { description: 'An ES module', content: { 'text/javascript': { schema: Type.String() } } },
    ...errorResponses(),
  },
}

/**
 * GET /auth/client.js: public code, the same for everyone. A module is fetched with CORS wherever the page is, so that
 * `crossOrigin` decides whose pages run it; `Cross-Origin-Resource-Policy` has no say there, and keeps it out of the
 * others as a plain script, too.
 */
export const authClient: FastifyPluginAsyncTypebox = async (app) => {
  const code = readFileSync(new URL('../../client/dist/client.js', import.meta.url), 'utf8')

  app.get('/auth/client.js', { config: { access: 'public', from: 'anywhere' }, schema }, async (_request, reply) => {
    reply.type('text/javascript; charset=utf-8')
    return code
  })
}
