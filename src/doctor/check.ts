/**
 * What one check found. `FAIL`: like that, users cannot sign in or stay signed in. `warn`: it works less well than it
 * could, or cannot be judged from here. Neither text ever holds a secret, a key, a token or a request object.
 */
export type Check =
  | { readonly status: 'ok'; readonly name: string; readonly detail: string }
  | { readonly status: 'warn' | 'FAIL'; readonly name: string; readonly detail: string; readonly remedy: string }

/** The three verdicts of one check. */
export interface Verdicts {
  ok(detail: string): Check
  /** @param remedy what to do about it, as a sentence */
  warn(detail: string, remedy: string): Check
  /** @param remedy what to do about it, as a sentence */
  fail(detail: string, remedy: string): Check
}

/** @param name what is checked, as the operator calls it; the same in each of its lines */
export const about = (name: string): Verdicts => ({
  ok: (detail) => ({ status: 'ok', name, detail }),
  warn: (detail, remedy) => ({ status: 'warn', name, detail, remedy }),
  fail: (detail, remedy) => ({ status: 'FAIL', name, detail, remedy }),
})

/**
 * A check that itself goes wrong is one that failed, and no reason not to do the others.
 *
 * @param work never shown in full when it throws: an error's message may quote what it worked on
 */
export async function guard(name: string, work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await work()
  } catch (error) {
    const kind = error instanceof Error ? error.name : 'an unknown error'
    return [about(name).fail(`the check itself failed (${kind})`, 'report this as a bug of oten-bff')]
  }
}
