let known;
let hearer;
/** What the service said last; undefined before its first answer. */
export const getKnown = () => known;
/** Takes in what the service says now. */
export function learn(session, reason) {
    const isNews = known === undefined || describe(known) !== describe(session);
    known = session;
    hearer?.(session, isNews, reason);
}
/** @param next the one that hears of all that is learnt; none when undefined */
export const setHearer = (next) => {
    hearer = next;
};
/** The public id of a session; null when nobody is signed in. */
export const getId = (session) => (session.authenticated ? session.session_id : null);
const describe = (session) => JSON.stringify(session.authenticated ? [session.session_id, session.user] : null);
