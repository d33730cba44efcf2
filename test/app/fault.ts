import { Failure } from '../../examples/expo/protocol/answers.ts'
import { about, type Check } from '../../src/doctor/check.ts'

/** What a check saw where it should have seen something else, and what to do about it. */
export class Fault extends Error {
  readonly remedy: string

  constructor(detail: string, remedy: string) {
    super(detail)
    this.remedy = remedy
  }
}

/** @throws {Fault} unless it is so */
export function expect(isSo: boolean, detail: string, remedy: string): asserts isSo {
  if (!isSo) throw new Fault(detail, remedy)
}

/**
 * Makes a line of what a check came to.
 *
 * @param remedy for a failure that the check did not expect
 * @param work returns what is to be said when all is well
 */
export async function judge(name: string, remedy: string, work: () => Promise<string>): Promise<Check> {
  try {
    return about(name).ok(await work())
  } catch (error) {
    if (error instanceof Fault) return about(name).fail(error.message, error.remedy)
    if (error instanceof Failure) return about(name).fail(`the service answered ${error.code}`, remedy)
    return about(name).fail(`no answer to go on with (${describe(error)})`, remedy)
  }
}

/** A system's code such as `ECONNREFUSED` says more than the message around it; a message may be long. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'an unknown error'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message.slice(0, 200)
}
