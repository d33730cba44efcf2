import { fetch, type SignedIn, signOut } from 'oten-bff-client'
import { useState } from 'react'
import { Action } from './action.tsx'

interface AccountProps {
  readonly user: SignedIn['user']
  readonly tell: (text: string) => void
}

/** What belongs to one session; another one gets a component of its own, and sees nothing of this one's. */
export function Account({ user, tell }: AccountProps) {
  const [result, setResult] = useState('')

  const callApi = async (): Promise<void> => {
    const response = await fetch('/api/demo/hello')
    setResult(`${response.status} ${await response.text()}`)
  }

  return (
    <>
      <h1>
        Hello, <span data-testid="user-name">{String(user.name ?? user.sub)}</span>
      </h1>
      <p className="row">
        <Action name="call-api" run={callApi} tell={tell}>
          Call the API
        </Action>
        <Action name="sign-out" run={() => signOut()} tell={tell}>
          Sign out
        </Action>
      </p>
      <pre aria-live="polite" data-testid="api-result">
        {result}
      </pre>
    </>
  )
}
