import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listen } from '../ports.ts'

/** How long the API waits for the issuer. */
const ISSUER_WAIT_MS = 5000

interface UserInfo {
  readonly sub: string
  readonly name?: string
}

type FindUser = (accessToken: string) => Promise<UserInfo | undefined>

/**
 * An API as it might stand behind the proxy: it believes nobody but the issuer, and tells what reached it, so that a page
 * can show that its cookie did not.
 */
export async function startApi({ port, issuer }: { readonly port: number; readonly issuer: string }): Promise<Server> {
  const findUser = createFindUser(issuer)
  const server = createServer((req, res) => {
    req.resume() // A body is of no interest, but it has to be taken.
    answer(req, res, findUser).catch(() => {
      sendJson(res, 503, { error: 'issuer_unavailable', message: 'The API could not ask the issuer about the token.' })
    })
  })
  await listen(server, port)
  return server
}

async function answer(req: IncomingMessage, res: ServerResponse, findUser: FindUser): Promise<void> {
  const [scheme = '', accessToken = ''] = (req.headers.authorization ?? '').split(' ')
  const user = scheme.toLowerCase() === 'bearer' && accessToken !== '' ? await findUser(accessToken) : undefined
  if (user === undefined) {
    res.setHeader('www-authenticate', accessToken === '' ? 'Bearer' : 'Bearer error="invalid_token"') // RFC 6750 §3.
    return sendJson(res, 401, { error: 'invalid_token', message: 'The API needs an access token that is valid.' })
  }
  const receivedHeaders = Object.keys(req.headers).sort()
  const cookies = receivedHeaders.includes('cookie') ? 'A cookie arrived, which should not be.' : 'No cookie arrived.'
  sendJson(res, 200, {
    message: `Hello ${user.name ?? user.sub}. ${cookies}`,
    sub: user.sub,
    method: req.method,
    path: req.url,
    authorizationScheme: scheme,
    receivedHeaders,
  })
}

/** Asks the issuer's userinfo endpoint each time, so that a token revoked a moment ago is already refused. */
function createFindUser(issuer: string): FindUser {
  let endpoint: Promise<string> | undefined
  const ask = (url: string, accessToken?: string): Promise<Response> =>
    fetch(url, {
      ...(accessToken !== undefined && { headers: { authorization: `Bearer ${accessToken}` } }),
      redirect: 'error',
      signal: AbortSignal.timeout(ISSUER_WAIT_MS),
    })
  const discover = async (): Promise<string> => {
    const metadata = await (await ask(`${issuer}/.well-known/openid-configuration`)).json()
    return String((metadata as { userinfo_endpoint: unknown }).userinfo_endpoint) // Not a URL: the next call fails.
  }

  return async (accessToken) => {
    endpoint ??= discover()
    const response = await endpoint
      .then((url) => ask(url, accessToken))
      .catch((cause) => {
        endpoint = undefined
        throw cause
      })
    if (response.status === 401 || response.status === 403) return undefined
    if (!response.ok) throw new Error(`userinfo answered ${response.status}`)
    return (await response.json()) as UserInfo // From the issuer, whose answer this API trusts.
  }
}

function sendJson(res: ServerResponse, status: number, body: object): void {
  if (res.headersSent) return
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  res.end(`${JSON.stringify(body)}\n`)
}
