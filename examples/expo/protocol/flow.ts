import { type Answer, Failure, readBody, readHandoff, readSignOut, readView, type SessionView } from './answers.ts'
import { judgeDeepLink } from './deep-link.ts'
import {
  buildCall,
  buildHandoff,
  buildRefresh,
  buildSignOut,
  buildView,
  type Credential,
  type ServiceRequest,
} from './requests.ts'
import { buildChallenge, type RandomBytes, type Sha256 } from './secrets.ts'
import type { Service } from './service.ts'
import { buildStartUrl, createSignIn, type SessionKind, type SignIn } from './sign-in.ts'

/** The key store of the system: what it keeps survives the end of the app, and no other app reads it. */
export interface Vault {
  read(name: string): Promise<string | undefined>
  write(name: string, value: string): Promise<void>
  remove(name: string): Promise<void>
}

/** What the platform brings. */
export interface Platform {
  readonly vault: Vault
  readonly randomBytes: RandomBytes
  readonly sha256: Sha256
  /** @throws {Failure} `network` when there is no answer */
  send(request: ServiceRequest): Promise<Answer>
  /** Opens the system's browser. @returns the deep link that came back; undefined when it comes in another way, or never */
  openBrowser(url: string): Promise<string | undefined>
}

/** The life of a session in the app, from the start of a sign-in to the sign-out. What goes wrong is a `Failure`. */
export interface Flow {
  /** @returns undefined when the user closed the browser, or the system has ended the app meanwhile */
  signIn(kind: SessionKind): Promise<SessionView | undefined>
  /** @returns undefined for a link that is not the answer to a sign-in of this app */
  acceptDeepLink(link: string): Promise<SessionView | undefined>
  /** Who is signed in, by the credential that was kept. */
  loadView(): Promise<SessionView>
  refresh(): Promise<SessionView>
  callApi(path: string): Promise<Record<string, unknown>>
  /** Signs out here first, whatever the service says. @returns where the system's browser ends the session with the IdP */
  signOut(): Promise<string | null>
  /** To be called when the service says that the session is over. */
  forgetSession(): Promise<void>
}

const SIGN_IN = 'sign-in'
const CREDENTIAL = 'credential'

export function createFlow(service: Service, { vault, randomBytes, sha256, send, openBrowser }: Platform): Flow {
  /** Nobody but this module writes to the vault. */
  const read = async <T>(name: string): Promise<T | undefined> => {
    const text = await vault.read(name)
    return text === undefined ? undefined : (JSON.parse(text) as T)
  }
  const requireCredential = async (): Promise<Credential> => {
    const credential = await read<Credential>(CREDENTIAL)
    if (credential === undefined) throw new Failure('unauthenticated')
    return credential
  }

  async function redeem(link: string): Promise<SessionView | undefined> {
    const signIn = await read<SignIn>(SIGN_IN)
    const verdict = judgeDeepLink(service, signIn, link)
    if (verdict.kind === 'foreign' || signIn === undefined) return undefined
    await vault.remove(SIGN_IN) // One answer for each sign-in, whatever it is.
    if (verdict.kind === 'failed') throw new Failure(verdict.error)
    const { view, credential } = readHandoff(await send(buildHandoff(service, signIn, verdict.code)), signIn.kind)
    await vault.write(CREDENTIAL, JSON.stringify(credential))
    return view
  }

  /** One link after the other: some systems deliver one twice, and its code is good for one use. */
  let judging: Promise<unknown> = Promise.resolve()

  const flow: Flow = {
    async signIn(kind) {
      const signIn = createSignIn(kind, randomBytes)
      await vault.write(SIGN_IN, JSON.stringify(signIn)) // Before the browser opens: the system may then end the app.
      const link = await openBrowser(buildStartUrl(service, signIn, await buildChallenge(signIn.verifier, sha256)))
      return link === undefined ? undefined : flow.acceptDeepLink(link)
    },

    acceptDeepLink(link) {
      const judged = judging.then(() => redeem(link))
      judging = judged.catch(() => undefined)
      return judged
    },

    async loadView() {
      const credential = await read<Credential>(CREDENTIAL)
      return credential === undefined ? null : readView(await send(buildView(service, credential)))
    },

    refresh: async () => readView(await send(buildRefresh(service, await requireCredential()))),

    callApi: async (path) => readBody(await send(buildCall(service, await requireCredential(), path))),

    async signOut() {
      const credential = await read<Credential>(CREDENTIAL)
      await flow.forgetSession()
      return credential === undefined ? null : readSignOut(service, await send(buildSignOut(service, credential)))
    },

    forgetSession: () => vault.remove(CREDENTIAL),
  }
  return flow
}
