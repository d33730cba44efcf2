/** Where Oten answers. The authorization and token paths are documented by Oten, the others follow their pattern. */
export const ENDPOINTS = {
  discovery: '/.well-known/openid-configuration',
  authorize: '/v1/oauth/authorize',
  token: '/v1/oauth/token',
  userinfo: '/v1/oauth/userinfo',
  jwks: '/v1/oauth/jwks',
  revocation: '/v1/oauth/revoke',
  endSession: '/v1/oauth/logout',
} as const

export type Endpoint = keyof typeof ENDPOINTS

/** Path of the sign-in form; the id of the sign-in follows. */
export const SIGN_IN_PATH = '/sign-in'

/** @returns the endpoint that answers at this path, exactly */
export function findEndpoint(path: string): Endpoint | undefined {
  for (const [name, its] of Object.entries(ENDPOINTS)) if (its === path) return name as Endpoint // A key of ENDPOINTS.
  return undefined
}
