import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Compile, type XSchema } from 'typebox/schema'
import { parse } from 'yaml'

/** A value of the interface: its schema, and what it looks like. */
export interface Described {
  readonly schema?: object
  readonly example?: unknown
}

interface Parameter extends Described {
  readonly name: string
}

interface Response {
  readonly content?: Readonly<Record<string, Described>>
  readonly headers?: Readonly<Record<string, Described>>
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Described>> }
  readonly responses: Readonly<Record<string, Response>>
}

type PathItem = Readonly<Record<string, Operation>> & { readonly parameters?: readonly Parameter[] }

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
  readonly paths: Readonly<Record<string, PathItem>>
}

const { components, paths } = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')) as Document

/** `{name}` is one segment; `{path}`, at the end of the proxy's, any number. */
const PATTERNS = Object.entries(paths).map(([path, operations]) => ({
  pattern: new RegExp(`^${path.replace('{path}', '.+').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
  operations,
}))

/** What the service answered, as a caller sees it. */
export interface Seen {
  readonly status: number
  readonly contentType: string | null
  readonly text: string
}

/**
 * Holds an answer of the service against `openapi.yaml`: the status, the content type and every member are documented.
 * Paths and methods that are not in the document have the answers of the framework: 404 and 405.
 *
 * @throws {assert.AssertionError}
 */
export function assertDocumented(method: string, path: string, seen: Seen): void {
  const operation = PATTERNS.find(({ pattern }) => pattern.test(path))?.operations[method.toLowerCase()]
  if (operation === undefined) return
  const { operationId, responses } = operation
  const response = responses[seen.status] ?? responses.default
  assert.ok(response, `openapi.yaml: ${operationId} does not say ${seen.status}`)
  if (response.content === undefined) return
  const [type = ''] = (seen.contentType ?? '').split(';')
  const body = response.content[type]
  assert.ok(body, `openapi.yaml: ${operationId} ${seen.status} does not say ${type}`)
  if (!type.endsWith('json')) return
  const isFit = fitsSchema(body.schema ?? {}, JSON.parse(seen.text))
  assert.ok(isFit, `openapi.yaml: ${operationId} ${seen.status} does not describe ${seen.text}`)
}

/** Every operation of the document, with the parameters that its path shares. */
export const readOperations = (): (Operation & { readonly shared: readonly Parameter[] })[] =>
  Object.values(paths).flatMap(({ parameters: shared = [], ...operations }) =>
    Object.values(operations as Record<string, Operation>).map((operation) => ({ ...operation, shared })),
  )

export const fitsSchema = (schema: object, value: unknown): boolean => compile(schema).Check(value)

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

function compile(schema: object): ReturnType<typeof Compile> {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const { $ref = '' } = schema as { readonly $ref?: string }
  const made = Compile((components.schemas[$ref.split('/').at(-1) ?? ''] ?? schema) as XSchema)
  compiled.set(schema, made)
  return made
}
