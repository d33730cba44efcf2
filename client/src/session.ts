import { call } from './call.ts'
import { restoreHash } from './hash.ts'
import { learn } from './known.ts'
import type { Session } from './types.ts'

interface Question {
  readonly touch: boolean
  readonly answer: Promise<Session>
}

let asked: Question | undefined

/**
 * Who is signed in. Asking does not keep the session alive. Calls at the same time share one request.
 *
 * @param options.touch the user is there: slides the idle limit
 * @throws {BffError} when the service cannot say; nobody is signed out by that
 */
export function getSession({ touch = false }: { readonly touch?: boolean } = {}): Promise<Session> {
  restoreHash()
  if (asked !== undefined && (asked.touch || !touch)) return asked.answer
  const question: Question = { touch, answer: ask(touch, () => asked === question) }
  asked = question
  const forget = (): void => {
    if (asked === question) asked = undefined
  }
  question.answer.then(forget, forget)
  return question.answer
}

async function ask(touch: boolean, isCurrent: () => boolean): Promise<Session> {
  const session = await call<Session>(touch ? '/auth/session?touch=true' : '/auth/session')
  if (isCurrent()) learn(session)
  return session
}

/** What was asked before is about the past: its answer is not taken in, and shared with nobody. */
export const dropQuestion = (): void => {
  asked = undefined
}

/** Waits for the answer that is under way, if any. */
export const waitForAnswer = async (): Promise<void> => {
  await asked?.answer.catch(() => undefined)
}
