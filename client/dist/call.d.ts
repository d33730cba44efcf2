/** Asks oten-bff with the session cookie, which no script sees. */
export declare const send: (path: string, init: RequestInit) => Promise<Response>;
/** @returns the JSON of an answer that is a success @throws {BffError} */
export declare function call<Answer>(path: string, init?: RequestInit): Promise<Answer>;
