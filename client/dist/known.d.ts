import type { EndReason, Session } from './types.ts';
/** @param isNews somebody else, or other claims, than was known before; not that time passed */
export type Hearer = (session: Session, isNews: boolean, reason?: EndReason) => void;
/** What the service said last; undefined before its first answer. */
export declare const getKnown: () => Session | undefined;
/** Takes in what the service says now. */
export declare function learn(session: Session, reason?: EndReason): void;
/** @param next the one that hears of all that is learnt; none when undefined */
export declare const setHearer: (next: Hearer | undefined) => void;
/** The public id of a session; null when nobody is signed in. */
export declare const getId: (session: Session) => string | null;
