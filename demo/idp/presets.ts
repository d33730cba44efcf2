import type { ClientSpec } from './clients.ts'

/** Where a service that is tried out on this machine usually is. */
export const DEFAULT_BFF_URLS = ['http://localhost:8080', 'http://127.0.0.1:8080', 'http://localhost:3000']

/** Known to everybody, and good for nothing but a simulator on loopback. */
const SECRET = 'simulator-only-secret-that-everybody-knows'

/**
 * The two clients that the simulator starts with, so that a service can be pointed at it without registering anything.
 *
 * @param bffUrls origins of the services (their `PUBLIC_URL`); keys and logout tokens go to the first
 */
export function presetClients(bffUrls: readonly string[]): ClientSpec[] {
  const [first] = bffUrls
  if (first === undefined) throw new Error('at least one URL of a service is needed')
  const common = {
    clientSecret: SECRET,
    redirectUris: bffUrls.map((url) => `${url}/auth/callback`),
    postLogoutRedirectUris: bffUrls.map((url) => `${url}/auth/logged-out`),
    backchannelLogoutUri: `${first}/auth/backchannel-logout`,
    tokenAuth: 'client_secret_basic',
  } as const
  return [
    { ...common, clientId: 'bff-hs256', requestObjectAlg: 'HS256' },
    { ...common, clientId: 'bff-eddsa', requestObjectAlg: 'EdDSA', jwksUri: `${first}/auth/jwks.json` },
  ]
}
