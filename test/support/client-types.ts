import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** As much of JSON Schema as `openapi.yaml` uses. */
interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly description?: string
}

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const HEAD = '// Written by `npm run snapshots` from openapi.yaml, which is written from the schemas of the routes.'

/** `client/src/api.ts`: the types of what a page asks and gets, as `openapi.yaml` says. */
export function buildClientTypes(): string {
  const text = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8')
  const { components, paths } = parse(text) as Document
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `export type ${nameType(name)} = ${printType(schema, '')}`,
  )
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId }]) => operationId !== undefined) // Beside them stand a path's own parameters.
      .map(([method, operation]) => printOperation(`${method.toUpperCase()} ${path}`, operation)),
  )
  return [HEAD, ...schemas, `export interface Operations {\n${operations.join('\n')}\n}`, '']
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}

function printOperation(where: string, { operationId, summary, parameters = [], requestBody, responses }: Operation) {
  const query = parameters.filter((parameter) => parameter.in === 'query')
  const [body] = Object.values(requestBody?.content ?? {})
  const answers = Object.entries(responses).flatMap(([status, { content = {} }]) => {
    const json = Object.entries(content).find(([type]) => type.endsWith('json'))?.[1]
    return json === undefined ? [] : [`      ${status}: ${printType(json.schema, '      ')}`]
  })
  return [
    `  /** ${where}: ${summary} */`,
    `  ${operationId}: {`,
    ...(query.length > 0 ? [`    query: ${printType(toObject(query), '    ')}`] : []),
    ...(body === undefined ? [] : [`    body: ${printType(body.schema, '    ')}`]),
    '    answers: {',
    ...answers,
    '    }',
    '  }',
  ].join('\n')
}

const toObject = (parameters: NonNullable<Operation['parameters']>): Schema => ({
  type: 'object',
  required: parameters.filter(({ required }) => required).map(({ name }) => name),
  properties: Object.fromEntries(
    parameters.map(({ name, schema, description }) => [name, { ...schema, ...(description && { description }) }]),
  ),
})

const nameType = (schema: string): string => `${schema}Body`

/** @param indent of the line on which the type begins */
function printType(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return nameType(schema.$ref.replace(/^.*\//, ''))
  if (schema.anyOf !== undefined) return schema.anyOf.map((one) => printType(one, indent)).join(' | ')
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  switch (schema.type) {
    case 'object':
      return printObject(schema, indent)
    case 'array':
      return `Array<${printType(schema.items ?? {}, indent)}>`
    case 'integer':
      return 'number'
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type
    default:
      return 'unknown'
  }
}

function printObject({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `
  const members = Object.entries(properties).flatMap(([name, schema]) => [
    ...(schema.description === undefined ? [] : [`${inner}/** ${schema.description} */`]),
    `${inner}${name}${required.includes(name) ? '' : '?'}: ${printType(schema, inner)}`,
  ])
  if (additionalProperties === true) members.push(`${inner}[claim: string]: unknown`)
  return members.length === 0 ? 'Record<string, never>' : ['{', ...members, `${indent}}`].join('\n')
}
