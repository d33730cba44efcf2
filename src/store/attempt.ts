import { BffError } from '../errors.ts'

/**
 * Does a verb's work at once, in the caller's turn of the event loop: that is what makes a verb atomic here.
 *
 * @param work the verb on a store within this process
 * @throws {BffError} store_unavailable, with what `work` threw as cause
 */
export async function attempt<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new BffError('store_unavailable', 'the session store did not do what was asked', { cause })
  }
}
