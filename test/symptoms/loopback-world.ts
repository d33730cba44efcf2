import type { TestContext } from 'node:test'
import { createWorld, getFreePort, type World } from '../support/world.ts'

/** The service under the address of this machine instead of its name: other cookies, and a place for claimed links. */
export async function createLoopbackWorld(
  t: TestContext,
  buildEnv = (_publicUrl: string): Readonly<Record<string, string>> => ({}),
): Promise<World> {
  const port = await getFreePort()
  const publicUrl = `http://127.0.0.1:${port}`
  const world = await createWorld(t, {
    env: { PUBLIC_URL: publicUrl, PORT: `${port}`, ...buildEnv(publicUrl) },
    client: { redirectUris: [`${publicUrl}/auth/callback`], jwksUri: `${publicUrl}/auth/jwks.json` },
  })
  return { ...world, publicUrl }
}
