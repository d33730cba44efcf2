import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Compile, type XSchema } from 'typebox/schema'
import { parse } from 'yaml'

interface Operation {
  readonly operationId: string
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: object }>> }>>
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
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
  const isFit = compile(body.schema).Check(JSON.parse(seen.text))
  assert.ok(isFit, `openapi.yaml: ${operationId} ${seen.status} does not describe ${seen.text}`)
}

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

function compile(schema: object): ReturnType<typeof Compile> {
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const { $ref = '' } = schema as { readonly $ref?: string }
  const made = Compile((components.schemas[$ref.split('/').at(-1) ?? ''] ?? schema) as XSchema)
  compiled.set(schema, made)
  return made
}
