import { Failure, readBody, readSignOut, readView } from '../../examples/expo/protocol/answers.ts'
import {
  buildCall,
  buildRefresh,
  buildSignOut,
  buildView,
  type ServiceRequest,
} from '../../examples/expo/protocol/requests.ts'
import { about, type Check } from '../../src/doctor/check.ts'
import type { AppSession } from './check-sign-in.ts'
import type { Examined } from './examine.ts'
import { expect, judge } from './fault.ts'
import { createPhone } from './phone.ts'

const REPORT = 'look for the error id in the log of the service; a bug, unless a proxy in between changes answers'

/** What the app does with a session, as often as it likes. */
export async function* checkUse(examined: Examined, session: AppSession): AsyncGenerator<Check> {
  yield await judge(`${session.kind}: view`, REPORT, async () => {
    const sub = await readSub(examined, session)
    expect(sub !== undefined, 'the service does not know the session that it has just given', REPORT)
    return `signed in as ${sub}`
  })
  yield await checkRefresh(examined, session)
  if (examined.apiPath !== undefined) yield await checkApi(examined, session, examined.apiPath)
}

async function readSub({ service }: Examined, { phone, credential }: AppSession): Promise<string | undefined> {
  return readView(await phone.send(buildView(service, credential)))?.user.sub
}

async function checkRefresh({ service }: Examined, { kind, phone, credential }: AppSession): Promise<Check> {
  const name = `${kind}: refresh`
  const answer = await phone.send(buildRefresh(service, credential))
  if (answer.status === 409) {
    const remedy = 'add offline_access to OTEN_SCOPE, or users sign in again as often as an access token ends'
    return about(name).warn('there is no refresh token', remedy)
  }
  return judge(name, 'see the log of the service, and `npm run doctor` about the token endpoint', async () => {
    expect(readView(answer) !== null, 'the session is gone with it', REPORT)
    return 'the tokens are renewed, the credential stays'
  })
}

const checkApi = ({ service }: Examined, { kind, phone, credential }: AppSession, path: string): Promise<Check> =>
  judge(`${kind}: API`, REPORT, async () => {
    const { status } = await phone.send(buildCall(service, credential, path))
    const remedy = 'let --api be a path of API_ROUTES that answers GET, and the API take the access tokens of the IdP'
    expect(status >= 200 && status < 300, `${path} answered ${status}`, remedy)
    return `${path} answered ${status}`
  })

/** Whoever steals a credential of one kind from its place cannot show it in the other's (MH-13). */
export async function* checkKinds({ service }: Examined, cookie: AppSession, token: AppSession): AsyncGenerator<Check> {
  const [name = '', ...rest] = cookie.value.split('=')
  const isTaken = async (headers: ServiceRequest['headers']): Promise<boolean> => {
    const { send } = createPhone(service, '')
    return readBody(await send({ method: 'GET', url: `${service.url}/auth/session`, headers })).authenticated === true
  }
  yield await judge('cookie as a token', REPORT, async () => {
    const headers = { authorization: `Bearer ${rest.join('=')}` }
    expect(!(await isTaken(headers)), 'the value of the cookie is taken for a token', REPORT)
    return 'is not taken'
  })
  yield await judge('token as a cookie', REPORT, async () => {
    expect(!(await isTaken({ cookie: `${name}=${token.value}` })), 'the token is taken for a cookie', REPORT)
    return 'is not taken'
  })
}

/** The credential is worth nothing afterwards, also where somebody kept a copy of it. */
export const checkSignOut = ({ service }: Examined, session: AppSession): Promise<Check> =>
  judge(`${session.kind}: sign-out`, REPORT, async () => {
    const { kind, phone, credential, value } = session
    const url = readSignOut(service, await phone.send(buildSignOut(service, credential)))
    const headers = kind === 'token' ? { authorization: `Bearer ${value}` } : { cookie: value }
    const { send } = createPhone(service, '')
    const code = await readFailureCode(() => send({ method: 'POST', url: `${service.url}/auth/refresh`, headers }))
    expect(code === 'unauthenticated', 'the credential still opens the session', REPORT)
    readSignOut(service, await phone.send(buildSignOut(service, credential))) // A second tap is no error.
    return url === null ? 'the session is over' : 'the session is over, and the browser can end it with the IdP, too'
  })

async function readFailureCode(work: () => Promise<Parameters<typeof readBody>[0]>): Promise<string | undefined> {
  try {
    readBody(await work())
    return undefined
  } catch (error) {
    if (error instanceof Failure) return error.code
    throw error
  }
}
