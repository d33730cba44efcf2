/** Who takes part in what the page draws. */
export type Party = 'browser' | 'app' | 'bff' | 'oten' | 'api'

/** A request and its answer, as one of the two ends saw them: with the names of what they carry, and no secret. */
export interface Exchange {
  readonly id: string
  readonly from: Party
  readonly to: Party
  readonly method: string
  /** Path and query, masked. */
  readonly path: string
  /** `cookie`, `authorization` and such of the request, masked. */
  readonly headers: readonly string[]
  /** A form, masked. */
  readonly body?: string
  /** Microseconds of a clock that all processes of this machine share. */
  readonly askedAt: number
  /** Id of the exchange in whose course it was made. */
  readonly cause?: string | undefined
  readonly answer?: Answer
  /** Which sign-in or sign-out it belongs to: a few characters of a hash of its `state`. */
  readonly flow?: string | undefined
  /** The signed request that a browser carries to Oten; it may see it. */
  readonly requestObject?: string | undefined
}

export interface Answer {
  /** 0: there was none. */
  readonly status: number
  readonly at: number
  /** `Set-Cookie` lines, masked. */
  readonly setCookies: readonly string[]
  /** Where a redirect leads, masked. */
  readonly location?: string
}

export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n)
