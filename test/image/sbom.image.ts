import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { contextOf } from './build.ts'
import { findEngine } from './engine.ts'
import { readLockfile } from './files.ts'

const context = contextOf(findEngine())

interface Component {
  readonly name: string
  readonly group?: string
  readonly version: string
  readonly purl: string
  readonly 'bom-ref': string
  readonly licenses?: readonly unknown[]
  readonly hashes?: readonly { readonly alg: string }[]
}

const sbom = JSON.parse(readFileSync(new URL('../../test-output/sbom.cdx.json', import.meta.url), 'utf8')) as {
  bomFormat: string
  specVersion: string
  metadata: { component: Component }
  components: readonly Component[]
  dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[]
}

const toPurl = ({ name, version }: { name: string; version: string }): string =>
  `pkg:npm/${name.replace('@', '%40')}@${version}`

test('the bill of materials is CycloneDX and of this service', () => {
  assert.equal(sbom.bomFormat, 'CycloneDX')
  assert.match(sbom.specVersion, /^1\.[5-9]$/)
  const { name, version } = sbom.metadata.component
  const { name: ownName, version: ownVersion } = JSON.parse(readFileSync(join(context, 'package.json'), 'utf8')) as {
    name: string
    version: string
  }
  assert.deepEqual([name, version], [ownName, ownVersion])
})

test('the bill of materials has every package of production and none of development', () => {
  const { production, other } = readLockfile(context)
  const listed = new Set(sbom.components.map(({ purl }) => purl))
  assert.deepEqual([...listed].sort(), [...new Set(production.map(toPurl))].sort())
  const only = other.map(toPurl).filter((purl) => !production.some((entry) => toPurl(entry) === purl))
  assert.ok(only.length > 50)
  assert.deepEqual(
    only.filter((purl) => listed.has(purl)),
    [],
  )
})

test('each package in the bill of materials has its licence and its hash, and those that it depends on are listed', () => {
  for (const { purl, licenses = [], hashes = [] } of sbom.components) {
    assert.ok(licenses.length > 0, purl)
    assert.ok(
      hashes.some(({ alg }) => alg === 'SHA-512'),
      purl,
    )
  }
  const known = new Set([...sbom.components, sbom.metadata.component].map((component) => component['bom-ref']))
  const unknown = sbom.dependencies
    .flatMap(({ ref, dependsOn = [] }) => [ref, ...dependsOn])
    .filter((ref) => !known.has(ref))
  assert.deepEqual(unknown, [])
})
