import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSigningKeys, type SigningKey } from '../config/keys.ts'

const PRIVATE_FILE = 'jar-private-key.jwk.json'
const PUBLIC_FILE = 'jar-public-key.pem'

const USAGE = `Usage:
  npm run keys -- generate [--alg Ed25519] [--out DIR]
      writes ${PRIVATE_FILE} (keep it secret) and ${PUBLIC_FILE} (give it to Oten)
  npm run keys -- session
      prints a fresh key for SESSION_KEYS`

/** A command that cannot be carried out; `message` is all that the operator needs. */
class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

const getCode = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown')

/** Opens a new file and never an existing one: a lost signing key would stop every sign-in. */
function openNew(path: string, mode: number): number {
  try {
    return openSync(path, 'wx', mode)
  } catch (error) {
    const code = getCode(error)
    if (code === 'EEXIST') throw new CommandError(`${path} exists and is not overwritten; move it or use --out DIR.`, 1)
    throw new CommandError(`${path} cannot be created (${code}).`, 1)
  }
}

/** Writes both files or none. */
function writeFiles(files: readonly { path: string; content: string; mode: number }[]): void {
  const ours: string[] = []
  try {
    for (const { path, content, mode } of files) {
      const descriptor = openNew(path, mode)
      ours.push(path)
      writeFileSync(descriptor, content)
      closeSync(descriptor)
    }
  } catch (error) {
    for (const path of ours) rmSync(path, { force: true })
    throw error instanceof CommandError ? error : new CommandError(`The key cannot be written (${getCode(error)}).`, 1)
  }
}

function createDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CommandError(`${path} cannot be made a directory (${getCode(error)}).`, 1)
  }
}

function createSigningKey(): { key: SigningKey; privateJwk: string; publicPem: string } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const jwk = privateKey.export({ format: 'jwk' })
  // Read back by what will read it at the start, so that a key that was made can be used.
  const [key] = parseSigningKeys(JSON.stringify(jwk), { alg: 'EdDSA' }, (sentence) => {
    throw new Error(`The new key ${sentence}`)
  })
  if (key === undefined) throw new Error('There is no new key')
  const { kid, alg, use } = key.publicJwk
  const publicPem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString()
  return { key, privateJwk: `${JSON.stringify({ ...jwk, kid, alg, use }, null, 2)}\n`, publicPem }
}

function generate(directory: string): string {
  const { key, privateJwk, publicPem } = createSigningKey()
  const privatePath = join(directory, PRIVATE_FILE)
  const publicPath = join(directory, PUBLIC_FILE)
  createDirectory(directory)
  writeFiles([
    { path: privatePath, content: privateJwk, mode: 0o600 },
    { path: publicPath, content: publicPem, mode: 0o644 },
  ])
  return `Wrote ${privatePath} (secret) and ${publicPath}.

kid: ${key.kid}

${publicPem}
${JSON.stringify(key.publicJwk, null, 2)}

What to do next
1. Register the public key with Oten: in the developer portal, in the settings of your application, upload the public
   PEM and note the Key ID that Oten shows. Where the portal does not offer it, send the public PEM to Oten support
   with your client_id and the name of your application.
2. Set these variables of the service:
     JAR_KEYS_FILE=${privatePath}
     JAR_ALG=EdDSA
     JAR_KEY_ID=<the Key ID, only where Oten assigned one other than the kid above>
3. Keep the private key out of version control and of images: mount it, or hand it over as a secret.`
}

/** @throws {CommandError} for a call that is not one of the usage */
function run(args: readonly string[]): string {
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    throw new CommandError(`${error instanceof Error ? error.message : ''}\n\n${USAGE}`, 2)
  }
  const { values, positionals } = parsed
  const [command, ...rest] = positionals
  if (values.help) return USAGE
  if (rest.length > 0 || command === undefined) throw new CommandError(USAGE, 2)
  if (command === 'session' && values.alg === undefined && values.out === undefined) {
    return randomBytes(32).toString('base64url')
  }
  if (command !== 'generate') throw new CommandError(USAGE, 2)
  // `EdDSA` is the JOSE name under which the same key signs.
  if (!['Ed25519', 'EdDSA'].includes(values.alg ?? 'Ed25519')) {
    throw new CommandError(`Only Ed25519 keys can be made.\n\n${USAGE}`, 2)
  }
  return generate(resolve(values.out ?? '.'))
}

const parse = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { alg: { type: 'string' }, out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })

if (import.meta.main) {
  try {
    console.log(run(process.argv.slice(2)))
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    console.error(error.message)
    process.exitCode = error.exitCode
  }
}
