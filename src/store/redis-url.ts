/** One server of Redis, or one Sentinel. */
export interface RedisHost {
  readonly host: string
  readonly port: number
}

/** What a Redis URL says. Holds passwords: never logged. */
export interface RedisTarget {
  readonly mode: 'single' | 'cluster' | 'sentinel'
  readonly tls: boolean
  /** The server; or some nodes of the cluster, which name the rest; or some of the Sentinels. */
  readonly hosts: readonly RedisHost[]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  /** What every key and channel begins with, so that one Redis can serve several deployments. */
  readonly prefix: string
  /** How the Sentinels call the primary, and what they themselves ask for. */
  readonly sentinel: { readonly name: string; readonly username?: string; readonly password?: string } | undefined
}

/** scheme, user info, hosts, path, query. Whatever else a password holds has to be percent-encoded. */
const REDIS_URL = /^(rediss?):\/\/(?:([^@/?#[\]]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^@/?#]*))?$/
const HOST = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/
const PARAMETERS = new Set(['cluster', 'sentinel', 'sentinel_username', 'sentinel_password', 'prefix'])

/** Without a colon, so that no prefix is the beginning of another's; without braces, which would place the keys. */
const PREFIX = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Reads a Redis URL:
 *
 * - `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`: one server; `:PASSWORD@` is the password of the default user
 * - `redis://…HOST:PORT,HOST:PORT?cluster=true`: a cluster, by one or more of its nodes; it has no databases
 * - `redis://…HOST:PORT,HOST:PORT[/DB]?sentinel=NAME`: the primary that the Sentinels call NAME. User and password are
 *   those of Redis; `sentinel_username` and `sentinel_password` are those of the Sentinels, where they ask for any.
 * - `&prefix=NAME`: keys begin with `NAME:` instead of `oten-bff:`
 *
 * `rediss` is the same over TLS, on every connection. All parts may be, and `@ : / ? # [ ] & = %` in passwords have to
 * be, percent-encoded.
 *
 * @throws {Error} saying what is wrong, without showing any of it: an unencoded password may turn up in any part
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, userInfo, hosts = '', path = '', query] = REDIS_URL.exec(url) ?? []
  if (scheme === undefined) {
    throw refusal('must be redis://HOST…; in the password, @ : / ? # [ ] & = % must be percent-encoded')
  }
  const parameters = parseParameters(query)
  const mode = parseMode(parameters)
  return {
    mode,
    tls: scheme === 'rediss',
    hosts: parseHosts(hosts, mode),
    ...parseUserInfo(userInfo),
    db: parseDb(path, mode),
    prefix: parsePrefix(parameters.get('prefix') ?? 'oten-bff'),
    sentinel: mode === 'sentinel' ? parseSentinel(parameters) : undefined,
  }
}

const refusal = (sentence: string): Error => new Error(`SESSION_STORE: ${sentence}`)

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refusal('has a % that is not followed by two hexadecimal digits; a % itself is written %25')
  }
}

function parseUserInfo(userInfo: string | undefined): Pick<RedisTarget, 'username' | 'password'> {
  if (userInfo === undefined) return { username: undefined, password: undefined }
  const parts = userInfo.split(':')
  const [username = '', password = ''] = parts.map(decode)
  if (parts.length !== 2 || password === '') {
    throw refusal('needs USER:PASSWORD or :PASSWORD before the @; a : in either is written %3A')
  }
  return { username: username === '' ? undefined : username, password }
}

function parseHosts(text: string, mode: RedisTarget['mode']): readonly RedisHost[] {
  const hosts = text.split(',').map((entry) => {
    const [, host, port = mode === 'sentinel' ? '26379' : '6379'] = HOST.exec(entry) ?? []
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
      throw refusal('needs HOST or HOST:PORT, several of them separated by commas')
    }
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
  })
  if (hosts.length > 1 && mode === 'single') {
    throw refusal('names several hosts: say ?cluster=true, or ?sentinel=NAME')
  }
  return hosts
}

function parseDb(path: string, mode: RedisTarget['mode']): number {
  if (path === '') return 0
  if (!/^\d{1,5}$/.test(path)) throw refusal('needs the number of a database after the /, or nothing')
  if (mode === 'cluster') throw refusal('names a database, and a cluster has none')
  return Number(path)
}

function parseParameters(query: string | undefined): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  if (query === undefined) return parameters
  for (const pair of query.split('&')) {
    const [name = '', value = '', ...rest] = pair.split('=')
    if (!PARAMETERS.has(name) || rest.length > 0 || value === '') {
      throw refusal(`knows these parameters, each with a value: ${[...PARAMETERS].join(', ')}`)
    }
    if (parameters.has(name)) throw refusal('has the same parameter twice')
    parameters.set(name, decode(value))
  }
  return parameters
}

function parseMode(parameters: ReadonlyMap<string, string>): RedisTarget['mode'] {
  const cluster = parameters.get('cluster')
  if (cluster !== undefined && cluster !== 'true') throw refusal('knows cluster=true only')
  const isSentinel = parameters.has('sentinel')
  if (cluster !== undefined && isSentinel) throw refusal('takes either cluster or sentinel')
  if (!isSentinel && (parameters.has('sentinel_username') || parameters.has('sentinel_password'))) {
    throw refusal('takes sentinel_username and sentinel_password together with sentinel only')
  }
  if (cluster !== undefined) return 'cluster'
  return isSentinel ? 'sentinel' : 'single'
}

function parseSentinel(parameters: ReadonlyMap<string, string>): NonNullable<RedisTarget['sentinel']> {
  const [name = '', username, password] = ['sentinel', 'sentinel_username', 'sentinel_password'].map((parameter) =>
    parameters.get(parameter),
  )
  if (!/^[\w.-]+$/.test(name)) throw refusal('needs the name of the primary after sentinel=')
  if (username !== undefined && password === undefined) throw refusal('needs a sentinel_password for the user')
  return { name, ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
}

function parsePrefix(name: string): string {
  if (!PREFIX.test(name)) throw refusal('takes a prefix of 1 to 64 letters, digits, dots, dashes and underscores')
  return `${name}:`
}
