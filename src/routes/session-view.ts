import { Type } from 'typebox'

const User = Type.Object(
  { sub: Type.String({ description: 'The user, unique per issuer' }) },
  { additionalProperties: true, description: 'The claims named by SESSION_CLAIMS' },
)

/** What a client may know of its session (contract §5). The response schema is the allow-list: nothing else is sent. */
const members = {
  user: User,
  session_id: Type.String({ description: 'Public id; not the credential' }),
  expires_in: Type.Integer({ description: 'Seconds until the session ends for good' }),
  idle_expires_in: Type.Integer({ description: 'Seconds until it ends if it is not used' }),
  access_token_expires_in: Type.Integer({ description: 'Seconds; 0 when expired' }),
}

/** The view of a session that is there. */
export const SessionViewBody = Type.Object(
  { authenticated: Type.Literal(true), ...members },
  { additionalProperties: false },
)

/**
 * The same, or `{"authenticated": false}` and no more. One object with optional members in place of a union: choosing
 * between two schemas would cost more than the rest of the answer.
 */
export const SessionOrAnonymousBody = Type.Object(
  { authenticated: Type.Boolean(), ...Type.Partial(Type.Object(members)).properties },
  { additionalProperties: false },
)
