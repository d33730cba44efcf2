import { Type } from 'typebox'

/** What a client may know of its session (contract §5). The response schema is the allow-list: nothing else is sent. */
export const SessionViewBody = Type.Object(
  {
    authenticated: Type.Literal(true),
    user: Type.Object(
      { sub: Type.String({ description: 'The user, unique per issuer' }) },
      { additionalProperties: true, description: 'The claims named by SESSION_CLAIMS' },
    ),
    session_id: Type.String({ description: 'Public id; not the credential' }),
    expires_in: Type.Integer({ description: 'Seconds until the session ends for good' }),
    idle_expires_in: Type.Integer({ description: 'Seconds until it ends if it is not used' }),
    access_token_expires_in: Type.Integer({ description: 'Seconds; 0 when expired' }),
  },
  { additionalProperties: false },
)

export const AnonymousBody = Type.Object({ authenticated: Type.Literal(false) }, { additionalProperties: false })
