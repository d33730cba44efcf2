import type { Config } from '../config.ts'
import type { IdpHttp } from '../idp/http.ts'
import { checkAuthorization } from './authorization.ts'
import { about, type Check, guard } from './check.ts'
import { checkClock } from './clock.ts'
import { type Discovered, discover } from './discovery.ts'
import { checkJwks } from './jwks.ts'
import {
  checkAudience,
  checkClientAuthentication,
  checkCodeFlow,
  checkIdTokenAlgorithms,
  checkLogout,
  checkRequestObjects,
} from './published.ts'
import { checkTokenEndpoint } from './token-endpoint.ts'

export interface ExamineIdpDeps {
  readonly config: Config
  readonly http: IdpHttp
  readonly timeoutMs: number
  /** Epoch seconds. */
  readonly now: () => number
}

/** What the IdP publishes, then what it does; of what does not depend on an earlier fault, all. */
export async function* examineIdp(deps: ExamineIdpDeps): AsyncGenerator<Check> {
  const { config, http } = deps
  const discovered = await discover(config, http.fetch)
  yield* discovered.checks
  if (discovered.document === undefined) {
    yield about('identity provider').warn(
      'what it publishes, its keys, the clock, the authorization request and the token endpoint are not checked',
      'correct the issuer, then run this again',
    )
    return
  }
  yield* judgePublished(discovered, config)
  yield checkClock(http.clockOffsetS(), config.requestObject)
  yield* tryEndpoints(discovered, deps)
}

function judgePublished({ document = {}, metadata, refusal, checks }: Discovered, config: Config): readonly Check[] {
  const { idp, requestObject } = config
  const published = [
    checkCodeFlow(document),
    ...checkRequestObjects(document, requestObject.alg),
    checkAudience(requestObject.audience, metadata?.issuer ?? idp.issuer),
    checkClientAuthentication(document, config),
    checkIdTokenAlgorithms(document),
    ...checkLogout(document, idp.backchannelLogout),
  ]
  // The last word is the service's own: what it refuses and no check above has named.
  const isNamed = [...checks, ...published].some(({ status }) => status === 'FAIL')
  if (refusal === undefined || isNamed) return published
  return [...published, about('metadata').fail(refusal, 'ask Oten support; the service does not use such metadata')]
}

async function* tryEndpoints({ metadata }: Discovered, deps: ExamineIdpDeps): AsyncGenerator<Check> {
  const { config, http, timeoutMs, now } = deps
  if (metadata === undefined) {
    const detail = 'its keys, the authorization request and the token endpoint are not checked'
    yield about('identity provider').warn(detail, 'correct the endpoints, then run this again')
    return
  }
  const { fetch } = http
  const running = [
    guard('JWKS', async () => [await checkJwks({ metadata, fetch, now })]),
    guard('authorization request', async () => [await checkAuthorization({ config, metadata, timeoutMs, now })]),
    guard('token endpoint', async () => [await checkTokenEndpoint({ config, metadata, fetch, now })]),
  ]
  for (const checks of running) yield* await checks
}
