import { openAuthSessionAsync } from 'expo-web-browser'
import { createFlow } from '../protocol/flow.ts'
import { SERVICE } from '../service.ts'
import { randomBytes, sha256 } from './crypto.ts'
import { send } from './http.ts'
import { vault } from './storage.ts'

/** ASWebAuthenticationSession on iOS, a Custom Tab on Android. */
async function openBrowser(url: string): Promise<string | undefined> {
  // Without that option iOS waits for a link of a private-use scheme only.
  const result = await openAuthSessionAsync(url, SERVICE.deepLink, { preferUniversalLinks: true })
  return result.type === 'success' ? result.url : undefined
}

/** The one session of this app. */
export const session = createFlow(SERVICE, { vault, randomBytes, sha256, send, openBrowser })
