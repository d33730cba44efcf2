import { type StreamHearer } from './stream.ts';
export interface FollowHearer extends StreamHearer {
    /** There is no session to follow. */
    onRefused(): void;
}
/**
 * Follows the stream of one session after the other, in one tab at a time, and again when it breaks off. Over HTTP/1.1 a
 * browser opens six connections to a host: a stream in each of twenty tabs would leave none for anything else.
 *
 * @param createHearer makes the one who hears of a session
 * @returns how to say which session there is now; null for none
 */
export declare function createFollower(createHearer: (id: string) => FollowHearer): (id: string | null) => void;
