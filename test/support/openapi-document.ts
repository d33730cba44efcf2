import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import swagger from '@fastify/swagger'
import { stringify } from 'yaml'
import { createService } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { createIdp } from '../../src/idp/idp.ts'
import { createLog } from '../../src/log.ts'
import { ErrorBody } from '../../src/routes/error-body.ts'
import { openStore } from '../../src/store/index.ts'
import { baseEnv, createKey } from './env.ts'
import { ERROR_EXAMPLE, EXAMPLES } from './openapi-examples.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const DESCRIPTION = [
  'Login with Oten for single-page and mobile apps. A page calls these paths with credentials.',
  'Every failure has one shape: a stable `error` code, a fixed sentence, and an id that is also in the log.',
  'The session cookie is `__Host-Http-oten_session` on https, `oten_session` on plain-http localhost.',
].join('\n')

const EITHER_CREDENTIAL = [{ session: [] }, { appToken: [] }]

/** By what a route's `access` says: who may call it. */
const SECURITY: Readonly<Record<string, Record<string, string[]>[]>> = {
  session: EITHER_CREDENTIAL,
  optional: [{}, ...EITHER_CREDENTIAL],
}

const OPTIONS: Parameters<typeof swagger>[1] = {
  openapi: {
    openapi: '3.1.0',
    info: { title: 'oten-bff', description: DESCRIPTION, version },
    servers: [{ url: 'https://app.example.com', description: 'PUBLIC_URL' }],
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-Http-oten_session' },
        appToken: { type: 'http', scheme: 'bearer' },
      },
    },
  },
  transform: ({ schema, url, route }) => {
    const { access = '' } = (route.config ?? {}) as { readonly access?: string }
    const security = SECURITY[access]
    return { schema: { ...schema, ...(security !== undefined && { security }) }, url }
  },
}

/** `openapi.yaml` as the routes' own schemas give it. */
export async function buildOpenapi(): Promise<string> {
  const now = (): number => 0
  const env = {
    ...baseEnv(),
    PUBLIC_URL: 'http://localhost:8080',
    OTEN_ISSUER: 'https://idp.example',
    JAR_KEYS: createKey().privateJwk,
  }
  const config = loadConfig(env)
  const { log } = createLog('silent')
  const store = await openStore('memory:', { now })
  const idp = createIdp(config, { now, log })
  const { app, admin } = await createService({ config, store, idp, log, now }, async (bare) => {
    await bare.register(swagger, OPTIONS)
  })
  await app.ready()
  const document = tidy(app.swagger())
  await Promise.all([app.close(), admin.close()])
  await store.close()
  return stringify(document, { lineWidth: 120, aliasDuplicateObjects: false })
}

/** A body that may be null may be absent. */
function relaxBodies(paths: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const relax = (operation: unknown): unknown => {
    const { requestBody } = operation as { readonly requestBody?: { readonly content: object } }
    if (requestBody === undefined) return operation
    return {
      ...(operation as object),
      requestBody: { ...requestBody, required: !JSON.stringify(requestBody).includes('"type":"null"') },
    }
  }
  return mapOperations(paths, relax)
}

const mapOperations = (
  paths: Readonly<Record<string, unknown>>,
  change: (operation: unknown) => unknown,
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(paths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations as object).map(([method, operation]) => [method, change(operation)]),
      ),
    ]),
  )

interface Operation {
  readonly operationId?: string
  readonly parameters?: readonly { readonly name: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, object>> }
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>
}

/** Beside the schemas of an operation what they look like filled. What is no operation stays as it is. */
function addExamples(given: unknown): unknown {
  const operation = given as Operation
  const example = EXAMPLES[operation.operationId ?? '']
  if (example === undefined) return given
  const { parameters, requestBody, responses = {} } = operation
  return {
    ...operation,
    ...(parameters !== undefined && {
      parameters: parameters.map((parameter) => withExample(parameter, example.parameters?.[parameter.name])),
    }),
    ...(requestBody !== undefined && {
      requestBody: {
        ...requestBody,
        content: mapValues(requestBody.content, (body, type) => withExample(body, example.body?.[type])),
      },
    }),
    responses: mapValues(responses, (response, status) => ({
      ...response,
      ...(status === '303' && { headers: { Location: { schema: { type: 'string' }, example: example.location } } }),
      ...(response.content !== undefined && {
        content: mapValues(response.content, (body) => withExample(body, example.answers?.[status])),
      }),
    })),
  }
}

const withExample = (schema: object, example: unknown): object =>
  example === undefined ? schema : { ...schema, example }

const mapValues = <T, U>(values: Readonly<Record<string, T>>, map: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]))

/** The error body once, by reference; and the router's wildcard as the parameter that it is. */
function tidy(document: ReturnType<import('fastify').FastifyInstance['swagger']>): object {
  const error = toPlain(ErrorBody) as object
  const { components = {}, paths = {}, ...head } = toPlain(document) as Record<string, Record<string, unknown>>
  return {
    ...head,
    components: { ...components, schemas: { Error: { ...error, examples: [ERROR_EXAMPLE] } } },
    paths: replaceEqual(mapOperations(nameWildcards(relaxBodies(paths)), addExamples), error, {
      $ref: '#/components/schemas/Error',
    }),
  }
}

const toPlain = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

const PATH_PARAMETER = {
  name: 'path',
  in: 'path',
  required: true,
  description: 'A prefix of API_ROUTES and what follows it, `/` included',
  schema: { type: 'string' },
  example: 'orders/5',
}

const nameWildcards = (paths: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(paths).map(([path, operations]) =>
      path.endsWith('{*}')
        ? [path.replace('{*}', '{path}'), { parameters: [PATH_PARAMETER], ...describePaths(operations) }]
        : [path, operations],
    ),
  )

const describePaths = (operations: unknown): object =>
  Object.fromEntries(
    Object.entries(operations as Record<string, object>).map(([method, operation]) => [
      method,
      describePassing(operation),
    ]),
  )

/** Beside our own failures stands whatever the API says. */
function describePassing(operation: object): object {
  const { parameters: _wildcard, responses, ...rest } = operation as Record<string, object>
  return { ...rest, responses: { ...responses, default: { description: "The API's own answer" } } }
}

function replaceEqual(value: unknown, wanted: unknown, replacement: object): unknown {
  if (isDeepStrictEqual(value, wanted)) return replacement
  if (Array.isArray(value)) return value.map((entry) => replaceEqual(entry, wanted, replacement))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, replaceEqual(entry, wanted, replacement)]),
  )
}
