import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Example, playJourney, playMishaps } from '../journey.ts'
import { command } from './commands.ts'
import { EXAMPLES, OUTPUT } from './folders.ts'
import { startProgram } from './program.ts'

const POM = fileURLToPath(new URL('./kotlin/pom.xml', import.meta.url))
const PLATFORM_POM = fileURLToPath(new URL('./kotlin/platform.pom.xml', import.meta.url))
const KOTLIN = join(OUTPUT, 'kotlin')

const maven = (pom: string, goal: string): Promise<string> => command('mvn', ['--batch-mode', '-f', pom, goal])

/** Classes and resources of Android, of the version that platform.pom.xml names. */
function findAndroid(): string {
  const [, version = ''] =
    /android-all<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(PLATFORM_POM, 'utf8')) ?? []
  return join(homedir(), `.m2/repository/org/robolectric/android-all/${version}/android-all-${version}.jar`)
}

let report = ''

before(async () => {
  rmSync(KOTLIN, { recursive: true, force: true })
  report = await maven(POM, 'test')
})

test('Kotlin: the part without Android is compiled, and its own tests pass', () => {
  const [, ran = '0', failures, errors] = /Tests run: (\d+), Failures: (\d+), Errors: (\d+)/.exec(report) ?? []
  assert.ok(Number(ran) >= 12, report.slice(-2000))
  assert.deepEqual([failures, errors], ['0', '0'])
})

const KOTLIN_EXAMPLE: Example = {
  survivesSignIn: true,
  keepsCookies: true,
  start: ({ url, app, deepLink, vault }) => {
    const dependencies = readFileSync(join(KOTLIN, 'classpath'), 'utf8').trim()
    const classpath = [join(KOTLIN, 'test-classes'), join(KOTLIN, 'classes'), dependencies].join(delimiter)
    return startProgram('java', ['-cp', classpath, 'com.example.signin.JourneyKt', url, app, deepLink, vault])
  },
}

for (const kind of ['cookie', 'token'] as const) {
  test(`Kotlin: from the start to the sign-out, with a ${kind}, and the process is ended in between`, (t) =>
    playJourney(t, KOTLIN_EXAMPLE, kind))

  test(`Kotlin: what goes wrong signs nobody in and nobody out, with a ${kind}`, (t) =>
    playMishaps(t, KOTLIN_EXAMPLE, kind))
}

test('Android: manifest and resources go through aapt, and the part that uses Android is compiled against it', async () => {
  await maven(PLATFORM_POM, 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:resolve')
  const generated = join(OUTPUT, 'generated')
  rmSync(generated, { recursive: true, force: true })
  mkdirSync(generated, { recursive: true })
  // The package stands in the Gradle file, from which the Android plugin adds it to the manifest.
  const source = join(EXAMPLES, 'android/app/src/main')
  const manifest = readFileSync(join(source, 'AndroidManifest.xml'), 'utf8')
  writeFileSync(
    join(OUTPUT, 'AndroidManifest.xml'),
    manifest.replace('<manifest ', '<manifest package="com.example.app" '),
  )
  const inputs = ['-M', join(OUTPUT, 'AndroidManifest.xml'), '-S', join(source, 'res'), '-I', findAndroid()]
  await command('aapt', ['package', '-f', '-m', '-J', generated, ...inputs])
  await maven(PLATFORM_POM, 'compile')
  const compiled = join(OUTPUT, 'android/classes/com/example/app')
  for (const name of ['ExampleApp', 'KeystoreVault', 'SessionActivity']) {
    assert.ok(readFileSync(join(compiled, `${name}.class`)).length > 0)
  }
})
