import { send } from './call.js';
import { readFailure } from './errors.js';
/** The service says something every 20 s: who is silent for longer than twice that is not there any more. */
const SILENCE_MS = 45_000;
/**
 * Reads the events of the session until they end or fall silent. By fetch: an `EventSource` tells neither the status of
 * a refusal nor the heartbeats, and a stream that is dead or held back on the way looks like one on which nothing happens.
 *
 * @throws {BffError} when it was refused
 * @throws {Error} when it broke off
 */
export async function readStream({ onSign, onEvent }, signal) {
    const response = await send('/auth/events', { signal });
    if (!response.ok || !response.body)
        throw await readFailure(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = '';;) {
        const timer = setTimeout(() => reader.cancel(), SILENCE_MS);
        const { done, value } = await reader.read().finally(() => clearTimeout(timer));
        if (done)
            return;
        onSign();
        const blocks = (text + value).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
            const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []; // Or a heartbeat.
            if (name && data)
                onEvent(name, JSON.parse(data));
        }
    }
}
