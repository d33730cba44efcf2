import { deleteItemAsync, getItemAsync, setItemAsync, WHEN_UNLOCKED_THIS_DEVICE_ONLY } from 'expo-secure-store'
import type { Vault } from '../protocol/flow.ts'

/** Neither a backup nor another device gets to see it. */
const OPTIONS = { keychainAccessible: WHEN_UNLOCKED_THIS_DEVICE_ONLY } as const

/** Keychain on iOS, a file under a key of Keystore on Android. */
export const vault: Vault = {
  read: async (name) => (await getItemAsync(name, OPTIONS)) ?? undefined,
  write: (name, value) => setItemAsync(name, value, OPTIONS),
  remove: (name) => deleteItemAsync(name, OPTIONS),
}
