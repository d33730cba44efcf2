import { useLinkingURL } from 'expo-linking'
import { openBrowserAsync } from 'expo-web-browser'
import { useCallback, useEffect, useState } from 'react'
import { Button, StyleSheet, Text, View } from 'react-native'
import { session } from './platform/session.ts'
import { adviseOn } from './protocol/advice.ts'
import { Failure, type SessionView } from './protocol/answers.ts'
import { API_PATH } from './service.ts'

const SENTENCES = {
  dismiss: '',
  'sign-in': 'Signing in did not work. Please try again.',
  'signed-out': 'Your session has ended. Please sign in again.',
  later: 'That is not possible just now. Please try again in a moment.',
  report: 'That did not work.',
} as const

function describe(failure: Failure): string {
  const sentence = SENTENCES[adviseOn(failure.code)]
  return failure.errorId === undefined ? sentence : `${sentence} (${failure.errorId})`
}

/** `undefined` until it is known whether somebody is signed in. */
function useSession() {
  const [view, setView] = useState<SessionView | undefined>(undefined)
  const [message, setMessage] = useState('')

  const run = useCallback(async (action: () => Promise<SessionView | undefined>) => {
    setMessage('')
    try {
      const next = await action()
      if (next !== undefined) setView(next)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      setMessage(describe(error))
      if (adviseOn(error.code) !== 'signed-out') return
      await session.forgetSession()
      setView(null)
    }
  }, [])
  return { view, message, setMessage, run }
}

/** One view: who is signed in, and what they can do. */
export function App() {
  const { view, message, setMessage, run } = useSession()
  const link = useLinkingURL()

  useEffect(() => {
    // The link that opened the app after the system had ended it; else the session that it kept.
    void run(async () => (link === null ? undefined : await session.acceptDeepLink(link)) ?? session.loadView())
  }, [link, run])

  const leave = async (): Promise<SessionView> => {
    const logoutUrl = await session.signOut().catch(() => null)
    if (logoutUrl !== null) await openBrowserAsync(logoutUrl)
    return null
  }
  const showApi = async (): Promise<undefined> => {
    setMessage(JSON.stringify(await session.callApi(API_PATH)))
  }

  return (
    <View style={styles.screen}>
      {view ? (
        <>
          <Text accessibilityRole="header">{view.user.name ?? view.user.sub}</Text>
          <Button title="Call the API" onPress={() => void run(showApi)} />
          <Button title="Refresh" onPress={() => void run(session.refresh)} />
          <Button title="Sign out" onPress={() => void run(leave)} />
        </>
      ) : view === undefined ? (
        // Offline at the start nobody knows who is signed in; that is no reason to say that nobody is.
        message !== '' && <Button title="Try again" onPress={() => void run(session.loadView)} />
      ) : (
        <>
          <Button title="Log in" onPress={() => void run(() => session.signIn('token'))} />
          <Button title="Log in, session as a cookie" onPress={() => void run(() => session.signIn('cookie'))} />
        </>
      )}
      <Text accessibilityLiveRegion="polite">{message}</Text>
    </View>
  )
}

const styles = StyleSheet.create({ screen: { flex: 1, justifyContent: 'center', gap: 16, margin: 24 } })
