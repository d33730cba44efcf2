import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { adviseOn } from '../../examples/expo/protocol/advice.ts'
import { SERVICE } from '../../examples/expo/service.ts'
import type { ErrorCode } from '../../src/errors.ts'
import type { SignInError } from '../../src/idp/authorization.ts'
import vectors from '../app/vectors.json' with { type: 'json' }

const root = new URL('../..', import.meta.url).pathname
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const LINK = new URL(SERVICE.deepLink)
const BUNDLE = 'com.example.app'

/** Everything that a caller of the service can be told; the compiler sees that none is missing. */
const CODES: Readonly<Record<Exclude<ErrorCode, 'unknown_transaction'> | SignInError, true>> = {
  access_denied: true,
  account_selection_required: true,
  consent_required: true,
  forbidden_origin: true,
  idp_unavailable: true,
  interaction_required: true,
  invalid_grant: true,
  invalid_request: true,
  login_required: true,
  method_not_allowed: true,
  no_refresh_token: true,
  not_found: true,
  payload_too_large: true,
  rate_limited: true,
  server_error: true,
  sign_in_failed: true,
  store_unavailable: true,
  unauthenticated: true,
  unsupported_media_type: true,
  upstream_timeout: true,
  upstream_unavailable: true,
}

/** Of the guide's table: each code with the advice that its row begins with. */
const readTable = (): Map<string, string> =>
  new Map(
    [...read('docs/mobile.md').matchAll(/^\| (`[a-z_]+`(?: `[a-z_]+`)*) \| [^|]+ \| `([a-z-]+)`/gm)].flatMap(
      ([, codes = '', advice = '']) =>
        [...codes.matchAll(/[a-z_]+/g)].map(([code]): [string, string] => [code, advice]),
    ),
  )

test('the guide says of every error what the examples do about it', () => {
  const table = readTable()
  for (const code of [...Object.keys(CODES), 'network', 'unexpected']) {
    assert.equal(table.get(code), adviseOn(code), code)
    assert.ok(
      Object.values(vectors.advice).some((codes) => codes.includes(code)),
      `no vector of ${code}`,
    )
  }
  assert.equal(table.size, Object.keys(CODES).length + 2)
})

test('iOS: the site names the app for links and for the end of a web authentication session, and the app the site', () => {
  const { applinks, webcredentials } = JSON.parse(read('examples/ios/apple-app-site-association'))
  const [{ appIDs, components }] = applinks.details
  assert.deepEqual(components, [{ '/': LINK.pathname }])
  assert.deepEqual(appIDs, webcredentials.apps)
  assert.match(appIDs[0], new RegExp(`^[A-Z0-9]{10}\\.${BUNDLE.replaceAll('.', '\\.')}$`))
  const domains = [`applinks:${LINK.host}`, `webcredentials:${LINK.host}`]
  for (const domain of domains) assert.ok(read('examples/ios/App/Example.entitlements').includes(`>${domain}<`))
  const { ios } = JSON.parse(read('examples/expo/app.json')).expo
  assert.deepEqual([ios.associatedDomains, ios.bundleIdentifier], [domains, BUNDLE])
})

test('Android: the site names the app, and the app claims that path of the site and no other', () => {
  const [{ relation, target }] = JSON.parse(read('examples/android/assetlinks.json'))
  assert.deepEqual(relation, ['delegate_permission/common.handle_all_urls'])
  assert.deepEqual([target.namespace, target.package_name], ['android_app', BUNDLE])
  assert.match(target.sha256_cert_fingerprints[0], /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  const manifest = read('examples/android/app/src/main/AndroidManifest.xml')
  const [claimed = ''] = /<intent-filter android:autoVerify="true">[\s\S]*?<\/intent-filter>/.exec(manifest) ?? []
  const data = Object.fromEntries(
    [...claimed.matchAll(/android:(host|path|scheme)="([^"]+)"/g)].map(([, n, v]) => [n, v]),
  )
  assert.deepEqual(data, { scheme: 'https', host: LINK.host, path: LINK.pathname })
  const { android } = JSON.parse(read('examples/expo/app.json')).expo
  const [filter] = android.intentFilters
  assert.deepEqual([android.package, filter.autoVerify, filter.data], [BUNDLE, true, [data]])
})

test('each example waits for the same deep link', () => {
  for (const path of [
    'examples/ios/App/ExampleApp.swift',
    'examples/android/app/src/main/kotlin/com/example/app/ExampleApp.kt',
  ]) {
    const [, url] = /url[:=]? ?=? "([^"]+)"/.exec(read(path)) ?? []
    const [, deepLink] = /deepLink[:=]? ?=? "([^"]+)"/.exec(read(path)) ?? []
    assert.deepEqual([url, deepLink], [SERVICE.url, SERVICE.deepLink], path)
  }
})

test('the protocol of the Expo example imports nothing but itself', () => {
  const files = globSync('examples/expo/protocol/*.ts', { cwd: root })
  assert.ok(files.length >= 8)
  for (const path of files) {
    for (const [, from = ''] of read(path).matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
      assert.match(from, /^\.\/[a-z-]+\.ts$/, path)
      assert.ok(existsSync(join(root, dirname(path), from)), `${path}: ${from}`)
    }
  }
})

test('what the guide and the examples link to is there', () => {
  for (const path of ['docs/mobile.md', ...globSync('examples/{ios,android,expo}/README.md', { cwd: root })]) {
    const links = [...read(path).matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link)
    assert.ok(links.length > 0, path)
    for (const link of links) assert.ok(existsSync(join(root, dirname(path), link)), `${path}: ${link}`)
  }
})
