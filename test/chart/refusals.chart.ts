import assert from 'node:assert/strict'
import { test } from 'node:test'
import { template } from './chart.ts'
import { refusedChoices } from './refused-choices.ts'
import { REFUSED_FORMS } from './refused-forms.ts'
import { refusedTexts } from './refused-texts.ts'
import { listOpenObjects, listPaths } from './schema.ts'
import { createSecretTexts } from './secret-files.ts'

for (const { what, values, says, scenario } of [...refusedTexts, ...refusedChoices]) {
  test(`the chart refuses ${what}`, async () => {
    const { code, stderr } = await template({ values, ...(scenario !== undefined && { scenario }) })
    assert.notEqual(code, 0)
    assert.match(stderr, says)
  })
}

test('the chart says at once everything that is missing', async () => {
  const values = { image: { repository: '' }, publicUrl: '', oten: { clientId: '' }, secret: { existingSecret: '' } }
  const { stderr } = await template({ values })
  for (const name of ['image.repository', 'publicUrl', 'oten.clientId', 'secret.existingSecret']) {
    assert.ok(stderr.includes(`- ${name} is required`), name)
  }
})

const inline = (values: Record<string, string | number>, more: object = {}) => ({
  secret: { existingSecret: '', values },
  ...more,
})
const texts = createSecretTexts()
const { OTEN_CLIENT_SECRET = '', JAR_KEYS = '', SESSION_KEYS = '', ADMIN_TOKEN = '', SESSION_STORE = '' } = texts
const good = { OTEN_CLIENT_SECRET, JAR_KEYS, SESSION_KEYS }

/** Secrets among the values that must be refused; what is refused is never shown. */
const SECRET_REFUSALS: readonly (readonly [what: string, values: object, says: RegExp])[] = [
  ['secrets beside an existing Secret', { secret: { values: good } }, /at '\/secret\/values': maxProperties/],
  [
    'a secret that no variable has',
    inline({ ...good, OTEN_SECRET: 'geheim-geheim-geheim' }),
    /additional properties 'OTEN_SECRET' not allowed/,
  ],
  [
    'a secret that is a number',
    inline({ ...good, ADMIN_TOKEN: 8_112_233_445_566_778 }, { adminApi: { enabled: true } }),
    /at '\/secret\/values\/ADMIN_TOKEN': got number, want string/,
  ],
  ['a key that is missing', inline({ OTEN_CLIENT_SECRET, SESSION_KEYS }), /- secret\.values\.JAR_KEYS is required/],
  ['an empty key', inline({ ...good, JAR_KEYS: '\n' }), /- secret\.values\.JAR_KEYS is required/],
  [
    'no keys for private_key_jwt',
    inline(good, { oten: { tokenAuth: 'private_key_jwt' } }),
    /CLIENT_ASSERTION_KEYS is required/,
  ],
  [
    'no client secret for HS256',
    inline({ SESSION_KEYS }, { requestObject: { alg: 'HS256' } }),
    /OTEN_CLIENT_SECRET is required/,
  ],
  ['no token for the admin API', inline(good, { adminApi: { enabled: true } }), /ADMIN_TOKEN is required/],
  ['no address of the Redis', inline(good, { sessionStore: { kind: 'redis' } }), /SESSION_STORE is required/],
  ['a token that nothing uses', inline({ ...good, ADMIN_TOKEN }), /ADMIN_TOKEN is not used/],
  [
    'two addresses of the Redis',
    inline({ ...good, SESSION_STORE }, { sessionStore: { kind: 'redis', redis: { url: 'redis://redis:6379' } } }),
    /SESSION_STORE is not used/,
  ],
  [
    'a placeholder as client secret',
    inline({ ...good, OTEN_CLIENT_SECRET: 'changeme-geheim-geheim' }),
    /OTEN_CLIENT_SECRET is a placeholder/,
  ],
  [
    'a placeholder as session key',
    inline({ ...good, SESSION_KEYS: '<geheim-geheim-geheim>' }),
    /SESSION_KEYS is a placeholder/,
  ],
  [
    'a session key of another length',
    inline({ ...good, SESSION_KEYS: 'geheim-geheim-geheim' }),
    /SESSION_KEYS must be keys of 32 random bytes/,
  ],
  [
    'a signing key that is public',
    inline({ ...good, JAR_KEYS: '{"kty":"OKP","crv":"Ed25519","x":"geheim-geheim-geheim"}' }),
    /JAR_KEYS must be a PKCS#8 PEM/,
  ],
  [
    'a signing key that also authenticates the client',
    inline({ JAR_KEYS, CLIENT_ASSERTION_KEYS: JAR_KEYS, SESSION_KEYS }, { oten: { tokenAuth: 'private_key_jwt' } }),
    /must not be JAR_KEYS/,
  ],
  [
    'a client secret too short for HS256',
    inline({ OTEN_CLIENT_SECRET: 'geheim-geheim', SESSION_KEYS }, { requestObject: { alg: 'HS256' } }),
    /must have 16 octets or more/,
  ],
  [
    'an admin token that is short',
    inline({ ...good, ADMIN_TOKEN: 'geheim-geheim' }, { adminApi: { enabled: true } }),
    /ADMIN_TOKEN must be 16 or more/,
  ],
  [
    'a store that is no Redis',
    inline({ ...good, SESSION_STORE: 'file:geheim-geheim' }, { sessionStore: { kind: 'redis' } }),
    /SESSION_STORE must be a URL that begins with redis:/,
  ],
]

for (const [what, values, says] of SECRET_REFUSALS) {
  test(`the chart refuses ${what}, and shows no secret`, async () => {
    const { code, stdout, stderr } = await template({ values })
    assert.notEqual(code, 0)
    assert.match(stderr, says)
    for (const secret of [...Object.values(texts), 'geheim', '8112233445566778']) {
      assert.ok(!(stdout + stderr).includes(secret), `shows ${secret}`)
    }
  })
}

/** `{a: {b: value}}` for `a.b`. */
const nest = (path: string, value: unknown): unknown =>
  path.split('.').reduceRight((inner: unknown, name) => ({ [name]: inner }), value)

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Two sets of values as one. */
function merge(one: unknown, other: unknown): unknown {
  if (!isGroup(one) || !isGroup(other)) return other
  const shared = Object.keys(other).filter((name) => name in one)
  return { ...one, ...other, ...Object.fromEntries(shared.map((name) => [name, merge(one[name], other[name])])) }
}

/** Helm names every fault of the schema at once, so one run tries a form of each value. */
async function assertRefused(forms: readonly (readonly [path: string, value: unknown])[]): Promise<void> {
  const values = forms.reduce((all: unknown, [path, value]) => merge(all, nest(path, value)), {})
  const { code, stderr } = await template({ scenario: 'redis', values })
  assert.notEqual(code, 0)
  const passed = forms.filter(([path]) => !new RegExp(`at '/${path.replaceAll('.', '/')}[/']`).test(stderr))
  assert.deepEqual(passed, [])
}

const rounds = Math.max(...Object.values(REFUSED_FORMS).map((forms) => forms.length))

for (let round = 0; round < rounds; round += 1) {
  const forms = Object.entries(REFUSED_FORMS).flatMap(([path, values]) =>
    round < values.length ? [[path, values[round]] as const] : [],
  )
  test(`the chart refuses ${forms.length} values of a wrong form (round ${round + 1})`, () => assertRefused(forms))
}

test('the chart refuses every value of a wrong type', async () => {
  const paths = listPaths().filter((path) => path !== 'secret.values')
  const isAbove = (path: string) => paths.some((other) => other.startsWith(`${path}.`))
  assert.ok(paths.length > 100)
  await assertRefused(paths.filter((path) => !isAbove(path)).map((path) => [path, [{ wrong: true }]]))
  await assertRefused(paths.filter((path) => !isAbove(path)).map((path) => [path, 3.5]))
  await assertRefused(paths.filter((path) => isAbove(path) && !path.includes('.')).map((path) => [path, 'text']))
})

test('no object of the schema takes keys that it does not name', () => {
  // Their members are for Kubernetes to check, or set by Helm.
  const open = ['/global', '/affinity/nodeAffinity', '/affinity/podAffinity', '/affinity/podAntiAffinity']
  assert.deepEqual(listOpenObjects(), open)
})
