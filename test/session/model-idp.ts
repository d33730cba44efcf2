import type { RefreshInput, RefreshOutcome } from '../../src/idp/refresh-tokens.ts'

/** What goes wrong with one refresh, if anything. */
export type Mishap = 'none' | 'unavailable' | 'slow'

export interface ModelIdp {
  /** A grant for a session; its tokens carry its name. */
  grant(name: string): { accessToken: string; refreshToken: string; idToken: string }
  refresh(input: RefreshInput): Promise<RefreshOutcome>
  revoke(): Promise<boolean>
  /** Token requests that were carried out, by session. */
  readonly requests: Map<string, number>
  /** Broken promises: two requests for one session at a time, or a spent token shown again. */
  readonly violations: string[]
}

export interface ModelOptions {
  readonly rotate: boolean
  readonly lifeS: number
  /** Decides each request's fate and duration. */
  readonly fate: () => { readonly mishap: Mishap; readonly delayMs: number }
}

/**
 * An IdP with rotation and reuse detection in forty lines: what `oidc-provider` does with refresh tokens, as fast as a
 * property test needs it. A spent token that comes back ends its grant.
 */
export function createModelIdp({ rotate, lifeS, fate }: ModelOptions): ModelIdp {
  const grants = new Map<string, { current: string; counter: number; dead: boolean }>()
  const requests = new Map<string, number>()
  const violations: string[] = []
  const inFlight = new Set<string>()
  const issue = (name: string, counter: number) => ({
    accessToken: `access:${name}:${counter}`,
    refreshToken: `refresh:${name}:${rotate ? counter : 0}`,
    idToken: `id:${name}:${counter}`,
  })

  const answer = (name: string, refreshToken: string): RefreshOutcome => {
    const grant = grants.get(name)
    if (grant === undefined || grant.dead) return { kind: 'invalid_grant' }
    if (refreshToken !== grant.current) {
      violations.push(`spent token of ${name} was shown again`)
      grant.dead = true
      return { kind: 'invalid_grant' }
    }
    grant.counter += 1
    const tokens = issue(name, grant.counter)
    grant.current = tokens.refreshToken
    const idTokenClaims = { iss: 'https://idp.example', sub: name }
    const accessTokenExpiresAt = Date.now() / 1000 + lifeS
    return { kind: 'refreshed', tokens: { ...tokens, idTokenClaims, accessTokenExpiresAt, scope: 'openid' } }
  }

  return {
    requests,
    violations,
    grant(name) {
      const tokens = issue(name, 1)
      grants.set(name, { current: tokens.refreshToken, counter: 1, dead: false })
      return tokens
    },
    async refresh({ refreshToken }) {
      const name = refreshToken.split(':')[1] ?? ''
      if (inFlight.has(name)) violations.push(`two requests for ${name} at a time`)
      inFlight.add(name)
      const { mishap, delayMs } = fate()
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      inFlight.delete(name)
      if (mishap === 'unavailable') return { kind: 'unavailable', reason: 'model', retryAfterS: 1 }
      requests.set(name, (requests.get(name) ?? 0) + 1)
      return answer(name, refreshToken)
    },
    revoke: async () => true,
  }
}
