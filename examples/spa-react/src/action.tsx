import { BffError } from 'oten-bff-client'
import { type ReactNode, useState } from 'react'
import { describeFailure } from './words.ts'

interface ActionProps {
  readonly name: string
  readonly className?: string
  readonly run: () => Promise<void>
  readonly tell: (text: string) => void
  readonly children: ReactNode
}

/** A button that does its work once at a time, and says what went wrong. */
export function Action({ name, className, run, tell, children }: ActionProps) {
  const [isBusy, setBusy] = useState(false)

  const act = async (): Promise<void> => {
    if (isBusy) return
    setBusy(true)
    tell('')
    try {
      await run()
    } catch (error) {
      if (!(error instanceof BffError)) throw error
      tell(describeFailure(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <button type="button" className={className} aria-busy={isBusy} onClick={() => void act()} data-testid={name}>
      {children}
    </button>
  )
}
