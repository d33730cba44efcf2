import type { Operations } from './api.ts';
/** Who is signed in, and for how long; or nobody. Names as on the wire. */
export type Session = {
    readonly authenticated: false;
} | SignedIn;
export type SignedIn = Readonly<Operations['refreshTokens']['answers'][200]>;
/** Why a session is over: here, at the IdP, by an operator or another device, by its time. */
export type EndReason = 'logout' | 'backchannel' | 'revoked' | 'expired';
