import { Failure, readBody } from '../../examples/expo/protocol/answers.ts'
import type { Service } from '../../examples/expo/protocol/service.ts'
import type { Check } from '../../src/doctor/check.ts'
import { checkCodes } from './check-codes.ts'
import { checkKinds, checkSignOut, checkUse } from './check-session.ts'
import { checkSignIn } from './check-sign-in.ts'
import { expect, judge } from './fault.ts'
import { createPhone } from './phone.ts'

export interface Examined {
  readonly service: Service
  /** A path of `API_ROUTES`; none is called without it. */
  readonly apiPath?: string | undefined
  /** Whoever signs in with the IdP. */
  readonly login: string
}

/** Everything that an app relies on, one verdict after the other, in the order of the journey. */
export async function* examine(examined: Examined): AsyncGenerator<Check> {
  const reached = await checkService(examined.service)
  yield reached
  if (reached.status === 'FAIL') return
  const cookie = yield* checkSignIn(examined, 'cookie')
  const token = yield* checkSignIn(examined, 'token')
  if (cookie !== undefined) yield* checkUse(examined, cookie)
  if (token !== undefined) yield* checkUse(examined, token)
  if (cookie !== undefined && token !== undefined) yield* checkKinds(examined, cookie, token)
  if (cookie !== undefined) yield checkSignOut(examined, cookie)
  if (token !== undefined) yield checkSignOut(examined, token)
  if (cookie !== undefined || token !== undefined) yield* checkCodes(examined)
}

const checkService = (service: Service): Promise<Check> =>
  judge('service', 'start it, or give --url its address', async () => {
    const { send } = createPhone(service, '')
    const answer = await send({ method: 'GET', url: `${service.url}/auth/session`, headers: {} })
    const isOurs = answer.status === 200 && isSignedOut(answer)
    expect(isOurs, `/auth/session answered ${answer.status}`, 'let --url be PUBLIC_URL of the service, without a path')
    return `answers at ${service.url}`
  })

function isSignedOut(answer: Parameters<typeof readBody>[0]): boolean {
  try {
    return readBody(answer).authenticated === false
  } catch (error) {
    if (error instanceof Failure) return false
    throw error
  }
}
