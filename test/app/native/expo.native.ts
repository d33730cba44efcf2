import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { command } from './commands.ts'
import { EXAMPLES, OUTPUT } from './folders.ts'

const APP = join(OUTPUT, 'expo')
const BUNDLES = join(OUTPUT, 'expo-bundles')

before(async () => {
  // What was taken out of the example must not be compiled any more; what was installed may stay.
  for (const name of existsSync(APP) ? readdirSync(APP) : []) {
    if (!['node_modules', 'package-lock.json'].includes(name)) rmSync(join(APP, name), { recursive: true })
  }
  cpSync(join(EXAMPLES, 'expo'), APP, { recursive: true, filter: (path) => !path.includes('node_modules') })
  await command('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], APP)
})

test('Expo: the types of the app fit those of Expo and React Native', async () => {
  await command(join(APP, 'node_modules/.bin/tsc'), [], APP)
})

test('Expo: Metro bundles the app for iOS and Android, and Hermes compiles it', async () => {
  rmSync(BUNDLES, { recursive: true, force: true })
  const expo = ['export', '--platform', 'ios', '--platform', 'android', '--output-dir', BUNDLES]
  await command(
    'env',
    ['CI=1', 'EXPO_OFFLINE=1', 'EXPO_NO_TELEMETRY=1', join(APP, 'node_modules/.bin/expo'), ...expo],
    APP,
  )
  const { fileMetadata } = JSON.parse(readFileSync(join(BUNDLES, 'metadata.json'), 'utf8')) as {
    fileMetadata: Record<string, { bundle: string }>
  }
  for (const platform of ['ios', 'android']) {
    assert.ok(existsSync(join(BUNDLES, String(fileMetadata[platform]?.bundle))), platform)
  }
})
