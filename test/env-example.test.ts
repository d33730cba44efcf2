import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { buildEnvExample } from '../src/config/env-example.ts'
import { Environment, FILE_VARIABLES, GROUPS } from '../src/config/environment.ts'
import { loadConfig } from '../src/config.ts'
import { VALID_ENV } from './config/valid-env.ts'

const example = buildEnvExample()

test('.env.example is what the schema says; `npm run snapshots` writes it', () => {
  assert.equal(readFileSync(new URL('../.env.example', import.meta.url), 'utf8'), example)
})

test('.env.example has every variable once, with its description and its file', () => {
  const assigned = [...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name)
  assert.deepEqual(assigned.toSorted(), Object.keys(Environment.properties).toSorted())
  assert.equal(GROUPS.flatMap(({ variables }) => Object.keys(variables)).length, assigned.length)
  for (const name of FILE_VARIABLES) assert.ok(example.includes(`# From a file instead: ${name}_FILE=PATH\n`))
  for (const line of example.split('\n')) assert.ok(line.length <= 100, line)
  assert.ok(!/\bundefined\b/.test(example))
})

test('.env.example starts the service once the open variables are filled in', () => {
  const open = parseEnv(example)
  assert.deepEqual(Object.keys(open).toSorted(), Object.keys(VALID_ENV).toSorted())
  assert.ok(Object.values(open).every((value) => value === ''))
  assert.deepEqual(loadConfig({ ...open, ...VALID_ENV }).warnings, [])
})

test('the defaults that .env.example shows are those in force', () => {
  const shown = parseEnv(example.replaceAll(/^#(?=[A-Z][A-Z0-9_]*=)/gm, ''))
  const { secrets: _, ...explicit } = loadConfig({ ...shown, ...VALID_ENV })
  const { secrets: __, ...implicit } = loadConfig(VALID_ENV)
  assert.deepEqual(explicit, implicit)
})
