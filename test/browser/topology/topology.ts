import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApi } from '../../../demo/api/server.ts'
import { type Simulator, startSimulator } from '../../../demo/idp/simulator.ts'
import type { Owner } from '../../support/redis.ts'
import { getFreePort } from '../../support/world.ts'
import { type Certificates, createCertificates } from './authority.ts'
import { type AnsweredRequest, type Service, startService } from './service.ts'
import { startTlsFront } from './tls-front.ts'

/**
 * Names for this machine. On the site `shop.test` (a registrable domain) an SPA and the service share a host, others have
 * one each, and a neighbour has no business with either; the other site is somebody else's.
 */
const APP = 'app.shop.test'
const SPA = 'spa.shop.test'
const LOGIN = 'login.shop.test'
const NEIGHBOUR = 'forum.shop.test'
const FOREIGN = 'evil.example-other.test'
export const HOSTS = [APP, SPA, LOGIN, NEIGHBOUR, FOREIGN] as const

/** Where a user of one deployment goes. */
export interface Site {
  readonly name: string
  /** Origin of the pages. */
  readonly spa: string
  /** Origin of the service. */
  readonly service: string
  /** The service itself, past TLS and nginx. */
  readonly inner: string
  /** What the service has answered so far. */
  requests(): readonly AnsweredRequest[]
}

/** Two deployments of the service, behind nginx with TLS; one IdP, on a site of its own. */
export interface Topology {
  readonly sites: { readonly sameOrigin: Site; readonly sibling: Site }
  /** Origins of pages that no deployment allows: on the same site, and on another one. */
  readonly neighbour: string
  readonly foreign: string
  readonly idp: Simulator
  readonly certificates: Certificates
}

/** Folders with files for the hosts. */
export interface Pages {
  readonly app: string
  readonly spa: string
  /** For whoever else is there. */
  readonly others: string
}

/** Puts pages into a folder; those on a host of their own have to know the origin of their service. */
export type MakePages = (folder: string, loginOrigin: string) => Promise<Pages>

export async function startTopology(owner: Owner, makePages: MakePages): Promise<Topology> {
  const folder = mkdtempSync(join(tmpdir(), 'oten-bff-topology-'))
  owner.after(async () => rmSync(folder, { recursive: true, force: true }))
  const port = await getFreePort()
  const originOf = (host: string): string => `https://${host}:${port}`
  const certificates = createCertificates(folder, HOSTS)
  const idp = await startSimulator()
  owner.after(() => idp.close())
  const apiPort = await getFreePort()
  const api = await startApi({ port: apiPort, issuer: idp.issuer })
  owner.after(async () => close(api))
  const common = { simulator: idp, api: `http://127.0.0.1:${apiPort}` }
  const [pages, app, login] = await Promise.all([
    makePages(folder, originOf(LOGIN)),
    startService(owner, { ...common, origin: originOf(APP) }),
    startService(owner, { ...common, origin: originOf(LOGIN), allowedOrigins: originOf(SPA) }),
  ])
  await startTlsFront(owner, {
    port,
    certificates,
    folder: join(folder, 'nginx'),
    hosts: [
      { name: APP, pages: pages.app, service: app.address },
      { name: SPA, pages: pages.spa },
      // A sign-in that does not know where it began ends at `/`.
      { name: LOGIN, service: login.address, home: `${originOf(SPA)}/` },
      { name: NEIGHBOUR, pages: pages.others },
      { name: FOREIGN, pages: pages.others },
    ],
  })
  const siteOf = (name: string, spa: string, host: string, { address, requests }: Service): Site => {
    return { name, spa: originOf(spa), service: originOf(host), inner: `http://${address}`, requests }
  }
  return {
    sites: {
      sameOrigin: siteOf('on the origin of the service', APP, APP, app),
      sibling: siteOf('on a sibling subdomain', SPA, LOGIN, login),
    },
    neighbour: originOf(NEIGHBOUR),
    foreign: originOf(FOREIGN),
    idp,
    certificates,
  }
}

function close(server: Server): void {
  server.close()
  server.closeAllConnections()
}
