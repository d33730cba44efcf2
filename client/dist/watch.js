import { createFollower } from './follow.js';
import { getId, getKnown, learn, setHearer } from './known.js';
import { watchPage } from './page-life.js';
import { getSession, waitForAnswer } from './session.js';
import { openTabs } from './tabs.js';
/** Longer than the 20 s after which a stream gives a sign: without a stream that works, this is how often is asked. */
const QUIET_MS = 30_000;
/** After a question that the service could not answer. */
const AGAIN_MS = 5000;
/**
 * Sees to it that this tab knows who is signed in: asks at the start, follows the stream or the tab that does, asks
 * again when the page comes back or nothing was heard for long. Never slides the idle limit.
 *
 * @returns how to stop
 */
export function watch({ onSession, onFailure }) {
    let tabs;
    let timer;
    let reasonSaid;
    let isFailing = false;
    const rest = (ms = QUIET_MS) => {
        clearTimeout(timer);
        timer = setTimeout(look, ms);
    };
    const look = () => {
        const isSettled = getKnown()?.authenticated === false && !isFailing; // Another tab tells when that changes.
        if (!document.hidden && !isSettled)
            void ask();
    };
    /** What was heard from elsewhere does not answer a question of ours that failed. */
    const hearSign = () => {
        if (!isFailing)
            rest();
    };
    const ask = async (reason) => {
        if (tabs === undefined)
            return;
        reasonSaid = reason ?? reasonSaid;
        try {
            await getSession();
        }
        catch (error) {
            if (tabs === undefined)
                return;
            // That this session is over, the service has said by itself; only whether there is another one is not known.
            if (reasonSaid !== undefined && getKnown()?.authenticated)
                learn({ authenticated: false });
            const failure = error; // It throws nothing else.
            isFailing = true;
            onFailure(failure);
            rest(Math.max(AGAIN_MS, (failure.retryAfterS ?? 0) * 1000));
        }
    };
    const check = async ({ id, reason }) => {
        reasonSaid = reason ?? reasonSaid;
        await waitForAnswer(); // It may be older than the news.
        const known = getKnown();
        if (known === undefined || getId(known) !== id)
            await ask(reason);
        else
            hearSign();
    };
    const hearEnd = (reason) => {
        // A sign-in in another tab ends the session before it, and its cookie is still on the way. The stream is opened again
        // in a moment, and tells of the new session, or that there is none.
        if (reason === 'logout')
            reasonSaid = reason;
        else
            void check({ id: null, reason });
    };
    const followSession = createFollower((id) => ({
        onSign: () => {
            hearSign();
            tabs?.tell({ id });
        },
        onEvent: (name, data) => {
            if (name === 'ended')
                hearEnd(data.reason);
            else
                learn(data);
        },
        onRefused: () => void ask(),
    }));
    const hear = (session, isChange, reason = reasonSaid) => {
        reasonSaid = undefined;
        if (tabs === undefined)
            return;
        const isNews = isChange || isFailing;
        isFailing = false;
        rest();
        followSession(getId(session));
        if (isChange)
            tabs.tell({ id: getId(session), reason });
        onSession(session, isNews, session.authenticated ? undefined : reason);
    };
    const begin = () => {
        tabs = openTabs((news) => void check(news));
        void ask();
    };
    const end = () => {
        followSession(null);
        tabs?.close();
        tabs = undefined;
        clearTimeout(timer);
    };
    const leavePage = watchPage({ onLeave: end, onBack: begin, onLook: () => void ask() });
    setHearer(hear);
    begin();
    return () => {
        leavePage();
        setHearer(undefined);
        end();
    };
}
