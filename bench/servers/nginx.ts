import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../../test/support/until.ts'
import { getFreePort } from '../../test/support/world.ts'

export interface Nginx {
  readonly port: number
  stop(): Promise<void>
}

const buildConfig = (port: number, authPort: number, appPort: number, folder: string): string => `
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000;
  upstream auth { server 127.0.0.1:${authPort}; keepalive 64; keepalive_requests 1000000; }
  upstream app { server 127.0.0.1:${appPort}; keepalive 64; keepalive_requests 1000000; }
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_request /_auth;
      auth_request_set $subject $upstream_http_x_auth_subject;
      proxy_set_header X-Auth-Subject $subject;
      proxy_set_header Connection "";
      proxy_http_version 1.1;
      proxy_pass http://app;
    }
    location = /_auth {
      internal;
      proxy_pass http://auth/auth/verify;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Content-Length "";
      proxy_pass_request_body off;
    }
  }
}
`

/**
 * Puts nginx before an application, asking `authPort` about each request.
 *
 * @throws {Error} when it does not answer
 */
export async function startNginx(authPort: number, appPort: number): Promise<Nginx> {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-bench-nginx-'))
  const port = await getFreePort()
  const config = join(folder, 'nginx.conf')
  writeFileSync(config, buildConfig(port, authPort, appPort, folder))
  const path = `${process.env.PATH}:/usr/sbin`
  const child: ChildProcess = spawn('nginx', ['-c', config, '-e', join(folder, 'error.log')], {
    env: { ...process.env, PATH: path },
    stdio: 'ignore',
  })
  await once(child, 'spawn')
  const end = (): void => void child.kill('SIGTERM')
  process.once('exit', end) // However the bench ends.
  await until(async () => (await fetch(`http://127.0.0.1:${port}/`)).status > 0, 5000)
  return {
    port,
    async stop() {
      child.kill('SIGQUIT')
      await once(child, 'exit')
      process.off('exit', end)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
