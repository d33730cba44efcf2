import { readFileSync } from 'node:fs'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { errorResponses } from './error-body.ts'

const schema = {
  operationId: 'getOpenapi',
  summary: 'This document',
  tags: ['operation'],
  response: {
    200: { description: 'OpenAPI 3.1', content: { 'application/yaml': { schema: Type.Unknown() } } },
    ...errorResponses(),
  },
}

/** GET /auth/openapi.yaml: the committed document, which a test holds against the routes. */
export const authOpenapi: FastifyPluginAsyncTypebox = async (app) => {
  const document = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')

  app.get('/auth/openapi.yaml', { config: { access: 'public', from: 'anywhere' }, schema }, async (_request, reply) => {
    reply.header('cache-control', 'public, max-age=300').type('application/yaml; charset=utf-8')
    return document
  })
}
