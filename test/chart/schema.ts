import { readJson } from './chart.ts'

/** The words of JSON Schema that are read here. */
interface Schema {
  readonly $ref?: string
  readonly type?: unknown
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema | boolean>>
  readonly definitions?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
}

const schema = readJson('helm/values.schema.json') as Schema

const resolve = (part: Schema): Schema =>
  part.$ref === undefined ? part : (schema.definitions?.[part.$ref.replace('#/definitions/', '')] ?? {})

function* walkPaths(part: Schema, path: string): Generator<string> {
  for (const one of [resolve(part), ...(resolve(part).allOf ?? []).map(resolve)]) {
    for (const [name, inner] of Object.entries(one.properties ?? {})) {
      if (typeof inner === 'boolean') continue
      yield path + name
      yield* walkPaths(inner, `${path}${name}.`)
    }
  }
}

/** The dotted paths of all values that the schema names. */
export const listPaths = (): string[] => [...new Set(walkPaths(schema, ''))]

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null

function* walkOpen(part: unknown, path: string): Generator<string> {
  if (!isSchema(part)) return
  if (part.type === 'object' && part.additionalProperties === undefined) yield path
  for (const [keyword, value] of Object.entries(part)) {
    if (!isSchema(value)) continue
    const isNamed = ['properties', 'definitions', 'patternProperties'].includes(keyword)
    for (const [name, inner] of isNamed || Array.isArray(value) ? Object.entries(value) : [['', value] as const]) {
      yield* walkOpen(inner, isNamed ? `${path}/${name}` : path)
    }
  }
}

/** The paths of objects that would let an unknown key pass. */
export const listOpenObjects = (): string[] => [...walkOpen(schema, '')]
