import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { listen } from './ports.ts'

export interface StaticServerOptions {
  /** Later ones replace files of the same name in earlier ones. */
  readonly folders: readonly string[]
  /** The one origin of this server; other names of it are redirected here. */
  readonly origin: string
  /** Further paths at which `index.html` is served. */
  readonly pages?: readonly string[]
  /** Put in place of `{{NAME}}` in pages and scripts. */
  readonly values: Readonly<Record<string, string>>
  /** Origins besides its own that the page may call, and take scripts from. */
  readonly trusts?: readonly string[]
  /** Answers what lies below `path`. */
  readonly handler?: { readonly path: string; readonly answer: (req: IncomingMessage, res: ServerResponse) => void }
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

interface Document {
  readonly type: string
  readonly body: Buffer
}

/** Serves the files of some folders, and nothing that was not there at the start. */
export async function startStaticServer(options: StaticServerOptions): Promise<Server> {
  const { host, port } = new URL(options.origin)
  const documents = readDocuments(options)
  const headers = buildHeaders(options.trusts ?? [])
  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
    // By one name only: the service at the other end knows one origin, and a name that someone else points here by DNS
    // must not be able to use what stands behind `handler`.
    if (req.headers.host !== host) return redirect(res, `${options.origin}${req.url ?? '/'}`)
    if (options.handler !== undefined && path.startsWith(options.handler.path)) return options.handler.answer(req, res)
    const document = documents.get(path)
    if (document === undefined) return sendText(res, 404, 'There is nothing at this address.')
    if (req.method !== 'GET' && req.method !== 'HEAD') return sendText(res, 405, 'Only GET.', { allow: 'GET, HEAD' })
    res.writeHead(200, { ...headers, 'content-type': document.type, 'content-length': document.body.length })
    res.end(req.method === 'HEAD' ? undefined : document.body)
  })
  await listen(server, Number(port))
  return server
}

function readDocuments({ folders, pages = [], values }: StaticServerOptions): ReadonlyMap<string, Document> {
  const documents = new Map<string, Document>()
  for (const folder of folders) {
    for (const name of listFiles(folder)) {
      const type = TYPES[extname(name)]
      if (type === undefined) continue
      const content = readFileSync(join(folder, name), 'utf8')
      documents.set(`/${name}`, { type, body: Buffer.from(fill(name, content, values)) })
    }
  }
  const index = documents.get('/index.html')
  if (index === undefined) throw new Error(`${folders.join(', ')}: no index.html`)
  for (const path of ['/', ...pages]) documents.set(path, index)
  return documents
}

/** Their paths below the folder, with `/` between. */
const listFiles = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))

function fill(file: string, text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\{\{([A-Z_]+)\}\}/g, (_match, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`${file} uses {{${name}}}, which has no value`)
    return value
  })
}

function buildHeaders(trusts: readonly string[]): Readonly<Record<string, string>> {
  const sources = ["'self'", ...trusts].join(' ')
  const policy = [
    "default-src 'none'",
    `script-src ${sources}`,
    "style-src 'self'",
    "img-src 'self'",
    `connect-src ${sources}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  }
}

function redirect(res: ServerResponse, location: string): void {
  res.writeHead(307, { location, 'cache-control': 'no-store' }).end()
}

function sendText(res: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  })
  res.end(`${text}\n`)
}
