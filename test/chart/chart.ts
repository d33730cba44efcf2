import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { findTools, type Tools } from './tools.ts'

export const root = new URL('../..', import.meta.url).pathname
export const chartFolder = join(root, 'helm')

/** The oldest Kubernetes that Chart.yaml allows. */
const KUBE_VERSION = '1.30.0'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end, whatever that is. */
export function run(program: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd: root, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr })
    })
    child.stdin?.on('error', () => undefined) // It may end before it has read all.
    child.stdin?.end(input)
  })
}

/** One Kubernetes object, as far as every one is alike. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

const isManifest = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && 'kind' in value && 'metadata' in value

/** @throws {Error} for a document that is no object of Kubernetes */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(document.errors.join('\n'))
    const value: unknown = document.toJS()
    if (value === null) return []
    if (!isManifest(value)) throw new Error('a document without kind or metadata')
    return [value]
  })
}

/** What to render: a scenario of `helm/ci/`, values over it, and further arguments such as `--set-file`. */
export interface Rendering {
  readonly scenario?: string
  readonly values?: unknown
  readonly args?: readonly string[]
  readonly tool?: keyof Pick<Tools, 'helm' | 'helm3'>
  /** The chart's folder or package. */
  readonly chart?: string
}

export const valuesFile = (scenario: string): string => join(chartFolder, 'ci', `${scenario}-values.yaml`)

/** `helm template`, whatever comes of it. JSON is YAML, so values need no further form. */
export function template({ scenario = 'minimal', values, args = [], tool, chart }: Rendering = {}): Promise<Outcome> {
  const tools = findTools()
  const files = ['-f', valuesFile(scenario), ...(values === undefined ? [] : ['-f', '-'])]
  const command = ['template', 'login', chart ?? chartFolder, '-n', 'portal', '--kube-version', KUBE_VERSION]
  return run(tools[tool ?? 'helm'], [...command, ...files, ...args], values === undefined ? '' : JSON.stringify(values))
}

/** @throws {Error} with Helm's own words when it does not render */
export async function renderText(rendering: Rendering = {}): Promise<string> {
  const { code, stdout, stderr } = await template(rendering)
  if (code !== 0) throw new Error(stderr)
  return stdout
}

/** @throws {Error} as `renderText` */
export const render = async (rendering: Rendering = {}): Promise<Manifest[]> =>
  parseManifests(await renderText(rendering))

export const scenarios: readonly string[] = globSync('ci/*-values.yaml', { cwd: chartFolder })
  .map((path) => basename(path, '-values.yaml'))
  .sort()

/** The one object of a kind (of that name). @throws {Error} when there is none, or more */
export function pick(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name))
  const [only] = found
  if (only === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind} ${name ?? ''}`)
  return only
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))
