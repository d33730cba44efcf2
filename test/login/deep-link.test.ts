import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildDeepLink } from '../../src/login/deep-link.ts'

for (const [link, parameters, expected] of [
  ['com.example.app:/in', { code: 'c', state: 's' }, 'com.example.app:/in?code=c&state=s'],
  ['com.example.app://host/in?a=b', { code: 'c' }, 'com.example.app://host/in?a=b&code=c'],
  [
    'https://app.example/in',
    { error: 'access_denied', state: undefined },
    'https://app.example/in?error=access_denied',
  ],
  ['https://app.example/In%20here/', { code: 'c' }, 'https://app.example/In%20here/?code=c'],
  ['com.example.app:/in', { code: 'c', state: '' }, 'com.example.app:/in?code=c&state='],
] as const) {
  test(`MH-02: ${link} stays as configured, with ${Object.keys(parameters)} behind it`, () => {
    assert.equal(buildDeepLink(link, parameters), expected)
  })
}

test('MH-15: a state cannot leave its parameter, and no + stands for a space', () => {
  const state = `a b+c&code=evil#x?y=%2f\r\nset-cookie:é漢😀"'<>`
  const href = buildDeepLink('com.example.app:/in', { code: 'c', state })
  assert.match(href, /^[!-~]+$/)
  assert.ok(!href.includes('+') && !href.includes('#'))
  const { searchParams } = new URL(href)
  assert.deepEqual(searchParams.getAll('code'), ['c'])
  assert.equal(searchParams.get('state'), state)
})
