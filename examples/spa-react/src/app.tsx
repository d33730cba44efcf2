import { authError, signIn } from 'oten-bff-client'
import { useSession } from 'oten-bff-client/react'
import { useState } from 'react'
import { Account } from './account.tsx'
import { Action } from './action.tsx'
import { describeAuthError, describeEnd, describeFailure } from './words.ts'

/** Read once, when the page comes up: it goes out of the address. */
const failed = authError()

export function App() {
  const { status, session, reason, error } = useSession()
  const [notice, setNotice] = useState(failed === undefined ? '' : describeAuthError(failed))
  const [before, setBefore] = useState(status)
  if (before !== status) {
    setBefore(status)
    if (before === 'signed-in') setNotice(describeEnd(reason))
    else if (before !== 'loading') setNotice('')
  }

  return (
    <main data-testid="state" data-state={status}>
      <p className="notice" role="status" data-testid="notice">
        {error === undefined ? notice : describeFailure(error)}
      </p>
      {status === 'loading' && <p className="muted">One moment …</p>}
      {status === 'unknown' && (
        <>
          <h1>Who you are cannot be seen just now</h1>
          <p className="muted">The page asks again by itself.</p>
        </>
      )}
      {status === 'signed-out' && (
        <>
          <h1>Welcome</h1>
          <p>
            <Action name="sign-in" className="primary" run={() => signIn()} tell={setNotice}>
              Sign in with Oten
            </Action>
          </p>
        </>
      )}
      {session !== undefined && <Account key={session.session_id} user={session.user} tell={setNotice} />}
    </main>
  )
}
