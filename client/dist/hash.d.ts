/** Keeps the fragment of the page that a sign-in will come back to, in this tab alone. */
export declare function keepHash(path: string, hash: string): void;
export declare const dropHash: () => void;
/**
 * Puts the fragment back that the page had when the sign-in began; `getSession` and `onChange` do it by themselves. On
 * another page than that one it is dropped. Routers hear `hashchange`.
 */
export declare function restoreHash(): void;
