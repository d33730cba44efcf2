import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { delimiter, join } from 'node:path'
import { endWithUs } from '../../support/end-with-us.ts'
import { kill, type Owner } from '../../support/redis.ts'
import { until } from '../../support/until.ts'
import type { Certificates } from './authority.ts'

/** What browsers find under a name. */
export interface Host {
  readonly name: string
  /** Files. */
  readonly pages?: string
  /** `host:port` of the service, which has `/auth/` and `/api/`. */
  readonly service?: string
  /** Where `/` leads, when there are no pages. */
  readonly home?: string
}

export interface TlsFrontOptions {
  readonly port: number
  readonly certificates: Certificates
  readonly hosts: readonly Host[]
  /** Of its own, for what it writes. */
  readonly folder: string
}

/**
 * Runs nginx as it stands before a service on the internet: TLS ends here, each name leads to its place. Over HTTP/1.1,
 * where a browser opens six connections to a host and no more: an event stream for each tab would use them up.
 *
 * @throws {Error} with what it said, when it does not start
 */
export async function startTlsFront(owner: Owner, options: TlsFrontOptions): Promise<void> {
  const { folder, port } = options
  mkdirSync(folder)
  const path = join(folder, 'nginx.conf')
  writeFileSync(path, buildConfig(options))
  const globals = `daemon off; master_process off; pid ${folder}/pid; error_log stderr;`
  const PATH = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter)
  const child = spawn('nginx', ['-p', folder, '-c', path, '-e', 'stderr', '-g', globals], {
    env: { PATH, HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  endWithUs(child)
  owner.after(() => kill(child))
  let said = ''
  child.once('error', (error) => {
    said += String(error)
  })
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-10_000)
  })
  const hasEnded = (): boolean => child.exitCode !== null || child.pid === undefined
  await until(() => hasEnded() || isListening(port))
  if (hasEnded()) throw new Error(`nginx did not start: ${said}`)
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

const buildConfig = ({ port, certificates, hosts, folder }: TlsFrontOptions): string => `
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  types { text/html html; text/css css; text/javascript js; image/svg+xml svg; }
  ssl_certificate ${certificates.certificate};
  ssl_certificate_key ${certificates.key};
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header Connection "";
  proxy_buffering off; # Event streams.
  proxy_read_timeout 1h;
  ${hosts.map((host) => buildServer(host, port)).join('\n')}
}
`

const buildServer = ({ name, pages, service, home }: Host, port: number): string => `server {
    listen 127.0.0.1:${port} ssl;
    server_name ${name};
    ${service === undefined ? '' : `location ~ ^/(auth|api)/ { proxy_pass http://${service}; }`}
    ${pages === undefined ? '' : `location / { root ${pages}; add_header Cache-Control no-cache; }`}
    ${home === undefined ? '' : `location = / { return 302 ${home}; }`}
  }`
