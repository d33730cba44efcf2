import { call } from './call.js';
import { restoreHash } from './hash.js';
import { learn } from './known.js';
let asked;
/**
 * Who is signed in. Asking does not keep the session alive. Calls at the same time share one request.
 *
 * @param options.touch the user is there: slides the idle limit
 * @throws {BffError} when the service cannot say; nobody is signed out by that
 */
export function getSession({ touch = false } = {}) {
    restoreHash();
    if (asked !== undefined && (asked.touch || !touch))
        return asked.answer;
    const question = { touch, answer: ask(touch, () => asked === question) };
    asked = question;
    const forget = () => {
        if (asked === question)
            asked = undefined;
    };
    question.answer.then(forget, forget);
    return question.answer;
}
async function ask(touch, isCurrent) {
    const session = await call(touch ? '/auth/session?touch=true' : '/auth/session');
    if (isCurrent())
        learn(session);
    return session;
}
/** What was asked before is about the past: its answer is not taken in, and shared with nobody. */
export const dropQuestion = () => {
    asked = undefined;
};
/** Waits for the answer that is under way, if any. */
export const waitForAnswer = async () => {
    await asked?.answer.catch(() => undefined);
};
