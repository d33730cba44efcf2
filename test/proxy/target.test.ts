import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findProxyTarget } from '../../src/proxy/target.ts'

/** Longest prefix first, as the configuration gives them. */
const methods = ['GET'] as const
const ROUTES = [
  { prefix: '/api/orders/archive', upstream: 'https://archive.internal', methods },
  { prefix: '/api/orders', upstream: 'https://orders.internal/v1', methods },
]

test('PX-01: a path goes to the API of its longest prefix, which ends at a slash', () => {
  for (const [target, url] of [
    ['/api/orders', 'https://orders.internal/v1'],
    ['/api/orders/', 'https://orders.internal/v1/'],
    ['/api/orders/5', 'https://orders.internal/v1/5'],
    ['/api/orders/5?x=/../y', 'https://orders.internal/v1/5'],
    ['/api/orders/archive/5', 'https://archive.internal/5'],
    ['/api/orders/archived', 'https://orders.internal/v1/archived'],
    ['/api/orders/a.b/..c/.d/e..', 'https://orders.internal/v1/a.b/..c/.d/e..'],
    ['/api/orders/%C3%A9;v=1,@:$&+=~', 'https://orders.internal/v1/%C3%A9;v=1,@:$&+=~'],
  ]) {
    const found = findProxyTarget(target ?? '', ROUTES)
    assert.equal(found.kind === 'upstream' && found.url, url, target)
  }
})

test('PX-01: a path of no prefix goes nowhere', () => {
  for (const target of ['/', '/api', '/api/', '/api/order', '/api/ordersx', '/api/orders-internal/1', '/API/orders']) {
    assert.deepEqual(findProxyTarget(target, ROUTES), { kind: 'unknown' }, target)
  }
})

test('PX-02: a path that some server reads as another one is refused', () => {
  const tails = [
    '..',
    '../',
    '../admin',
    'a/../../admin',
    '.',
    './a',
    'a/.',
    'a/..',
    '..;/admin',
    'a/..;x=1/admin',
    '.;/a',
    '%2e%2e/admin',
    '%2E%2e/admin',
    '.%2e/admin',
    '%2e',
    'a%2fb',
    'a%2Fb',
    'a%5cb',
    'a%5Cb',
    'a\\b',
    '..\\admin',
    '/admin',
    'a//b',
    '%00',
    'a%00.json',
    'a\u0000',
    'a\tb',
    'a b',
    'a\r\nb',
    'ä',
    '%',
    '%2',
    '%zz',
    '%u002e',
    'a#b',
  ]
  for (const tail of tails) {
    assert.deepEqual(findProxyTarget(`/api/orders/${tail}`, ROUTES), { kind: 'refused' }, tail)
  }
  for (const target of [
    '',
    '*',
    'api/orders/1',
    'http://evil.example/api/orders/1',
    '//evil.example/api/orders',
    '\\api',
  ]) {
    assert.deepEqual(findProxyTarget(target, ROUTES), { kind: 'refused' }, target)
  }
})
