/**
 * At a time. More wait longer for the store than a command may, and everybody else behind them: a user whose robot signs in
 * again and again has thousands of sessions.
 */
const AT_ONCE = 64

/** Does something with each, some at a time and in order. Rejects with the first that fails, once those beside it are done. */
export async function inBatches<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let batch: Item[] = []
  const finish = async (): Promise<void> => {
    const settled = await Promise.allSettled(batch.map(work))
    batch = []
    for (const outcome of settled) {
      if (outcome.status === 'rejected') throw outcome.reason
      results.push(outcome.value)
    }
  }
  for await (const item of items) if (batch.push(item) === AT_ONCE) await finish()
  await finish()
  return results
}
