import type { HeldCookie, Visitor } from './driver.ts'
import type { Site } from './topology.ts'

/** The cookies that the browser holds for the service. */
export async function readCookies(visitor: Visitor, { service }: Site): Promise<HeldCookie[]> {
  const host = new URL(service).hostname
  return (await visitor.cookies()).filter(({ domain }) => domain.endsWith(host))
}

/** Whom the service knows in this browser: asked with its cookie, past its pages. */
export async function readSession(visitor: Visitor, site: Site): Promise<Record<string, unknown>> {
  const cookie = (await readCookies(visitor, site)).map(({ name, value }) => `${name}=${value}`).join('; ')
  const answer = await fetch(`${site.inner}/auth/session`, { headers: { cookie } })
  return (await answer.json()) as Record<string, unknown>
}
