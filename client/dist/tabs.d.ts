import type { EndReason } from './types.ts';
/** What a tab knows just now. */
export interface News {
    /** Public id of the session; null when nobody is signed in. */
    readonly id: string | null;
    readonly reason?: EndReason | undefined;
}
/** Of this page's origin, with the same service. */
export interface Tabs {
    tell(news: News): void;
    close(): void;
}
/** @param onNews hears what other tabs tell */
export declare function openTabs(onNews?: (news: News) => void): Tabs;
/** Runs in one tab at a time; in the next one when that tab is gone. Never throws. */
export declare function runInOneTab(run: () => Promise<void>, signal: AbortSignal): Promise<void>;
