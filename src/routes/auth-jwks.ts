import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { SecretSource } from '../config.ts'
import { buildPublicJwks } from '../idp/signing-keys.ts'
import { errorResponses } from './error-body.ts'

const PublicJwk = Type.Object(
  {
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String(),
    kid: Type.String(),
    alg: Type.Union([Type.Literal('EdDSA'), Type.Literal('Ed25519')]),
    use: Type.Literal('sig'),
  },
  { additionalProperties: false },
)

const schema = {
  operationId: 'getJwks',
  summary: 'The public signing keys (JWK Set)',
  tags: ['operation'],
  response: {
    200: {
      description: 'Kept 300 s',
      content: { 'application/jwk-set+json': { schema: Type.Object({ keys: Type.Array(PublicJwk) }) } },
    },
    ...errorResponses(),
  },
}

/** GET /auth/jwks.json: the keys that request objects and client assertions verify with. */
export const authJwks: FastifyPluginAsyncTypebox<{ readonly secrets: SecretSource }> = async (app, { secrets }) => {
  app.get('/auth/jwks.json', { config: { access: 'public', from: 'anywhere' }, schema }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300').type('application/jwk-set+json; charset=utf-8')
    return { keys: [...buildPublicJwks(secrets.current()).keys] }
  })
}
