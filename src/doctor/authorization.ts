import { createHash, randomBytes } from 'node:crypto'
import type { Config } from '../config.ts'
import { buildAuthorizationUrl } from '../idp/authorization.ts'
import type { IdpMetadata } from '../idp/metadata.ts'
import { signRequestObject } from '../idp/request-object.ts'
import { buildRedirectUri } from '../login/sign-in.ts'
import { type AuthorizationAnswer, readAnswer } from './authorization-answer.ts'
import { findRemedy } from './authorization-remedy.ts'
import { about, type Check } from './check.ts'
import { describeFailure, WAY_TO_IDP } from './failure.ts'
import { fetchPage, type Page } from './page.ts'
import { quote } from './quote.ts'

const { ok, warn, fail } = about('authorization request')

export interface AuthorizationDeps {
  readonly config: Pick<Config, 'publicUrl' | 'idp' | 'requestObject' | 'secrets'>
  readonly metadata: IdpMetadata
  readonly timeoutMs: number
  /** Epoch seconds. */
  readonly now: () => number
}

const random = (): string => randomBytes(32).toString('base64url')

/** Sends a request such as a sign-in sends, signed, and looks at the first answer. Nothing is followed or submitted. */
export async function checkAuthorization(deps: AuthorizationDeps): Promise<Check> {
  const { config, metadata, timeoutMs } = deps
  const url = buildAuthorizationUrl(metadata.authorizationEndpoint, config.idp.clientId, signProbe(deps))
  let page: Page
  try {
    page = await fetchPage(url, timeoutMs)
  } catch (error) {
    const { kind, words } = describeFailure(error)
    return fail(`${metadata.authorizationEndpoint} cannot be reached: ${words}`, WAY_TO_IDP[kind])
  }
  if (page.status === 429) return warn('too many requests (status 429)', 'wait a minute, then run this again')
  return judgeAnswer(readAnswer(page, buildRedirectUri(config.publicUrl)), config)
}

function signProbe({ config, metadata, now }: AuthorizationDeps): string {
  const { jwt } = signRequestObject({
    clientId: config.idp.clientId,
    audience: config.requestObject.audience ?? metadata.issuer,
    parameters: {
      redirectUri: buildRedirectUri(config.publicUrl),
      scope: config.idp.scope,
      state: random(),
      nonce: random(),
      codeChallenge: createHash('sha256').update(random()).digest('base64url'),
    },
    settings: config.requestObject,
    secrets: config.secrets.current(),
    now: now(),
    jti: random(),
  })
  return jwt
}

/** What an answer means for the operator. */
export function judgeAnswer(
  answer: AuthorizationAnswer,
  config: Pick<Config, 'publicUrl' | 'idp' | 'requestObject' | 'secrets'>,
): Check {
  if (answer.kind === 'accepted') return ok(`accepted: the answer is ${answer.how}`)
  if (answer.kind === 'unclear') {
    const remedy = 'sign in once with a browser: whether this is the sign-in page or an error cannot be seen from here'
    return warn(`the answer is ${answer.how}`, remedy)
  }
  const { error, how, said } = answer
  const detail = `refused${error === undefined ? '' : ` with ${error}`}: the answer is ${how}${quote(said)}`
  return fail(detail, findRemedy(error, said, config))
}
