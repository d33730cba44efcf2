export interface StreamHearer {
    /** Something came: the stream works. */
    onSign(): void;
    onEvent(name: string, data: unknown): void;
}
/**
 * Reads the events of the session until they end or fall silent. By fetch: an `EventSource` tells neither the status of
 * a refusal nor the heartbeats, and a stream that is dead or held back on the way looks like one on which nothing happens.
 *
 * @throws {BffError} when it was refused
 * @throws {Error} when it broke off
 */
export declare function readStream({ onSign, onEvent }: StreamHearer, signal: AbortSignal): Promise<void>;
