import { readFileSync } from 'node:fs'
import type { ReturnToRules } from '../../src/login/return-to.ts'

/** The deployment that the lists are written for. */
export const RULES: ReturnToRules = {
  publicUrl: 'https://app.example.com',
  allowedOrigins: ['https://spa.example.com:8443', 'capacitor://localhost'],
}

/** @returns the hostile targets of `open-redirects.txt`, each as it is in the file and as it is meant */
export function readHostileTargets(): readonly (readonly [written: string, target: string])[] {
  const lines = readFileSync(new URL('../data/open-redirects.txt', import.meta.url), 'utf8').split('\n')
  return lines.filter((line) => line !== '' && !line.startsWith('# ')).map((line) => [line, decodeEscapes(line)])
}

const decodeEscapes = (line: string): string =>
  line.replaceAll(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})/g, (_all, octet: string | undefined, unit: string | undefined) =>
    String.fromCharCode(Number.parseInt(octet ?? unit ?? '', 16)),
  )

/** Targets that arrive byte for byte. */
export const HONEST_TARGETS: readonly string[] = [
  '/',
  '/inbox',
  '/inbox/',
  '/a/b/c.html',
  '/?',
  '/?a=1&b=2',
  '/inbox?folder=1&sort=date',
  '/inbox?next=%2Forders%2F5',
  '/inbox?next=%252Forders',
  '/inbox?next=https%3A%2F%2Felsewhere.example%2F',
  '/inbox?next=https://elsewhere.example/',
  '/inbox?q=a+b',
  '/inbox?q=a%20b%26c%3Dd',
  '/inbox?q=%5C',
  "/inbox?q='x'&r=(y)*!",
  '/inbox?q=caf%C3%A9',
  '/inbox?//',
  '/inbox?../..',
  '/inbox?a=b?c=d',
  '/inbox?mail=ada@example.com',
  '/inbox#top',
  '/inbox?a=1#/route/5?x=//y',
  '/#/orders/5',
  '/#//x',
  '/#a#b',
  '/#access=%2F',
  '/@ada/notes',
  '/a:b',
  '/a;v=1/b,c',
  "/~ada/-._!$&'()*+=",
  '/files/report%20final.pdf',
  '/files/a%2Fb',
  '/100%25',
  '/100%25%20sure',
  '/100%252525',
  '/a%3Fb%23c',
  '/.well-known/change-password',
  '/...',
  '/..a/b..',
  '/a.b/.c',
  '/gr%C3%B6%C3%9Fe',
  '/%E4%BD%A0%E5%A5%BD',
  '/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB',
  '/[1]',
  'https://app.example.com/',
  'https://app.example.com/inbox?a=1#b',
  'https://spa.example.com:8443/',
  'https://spa.example.com:8443/orders?id=5&next=%2Fx#y',
  'capacitor://localhost/',
  'capacitor://localhost/tabs/home?a=%2F#b',
]

/** What an ASCII header cannot carry as it is, and what it becomes. */
export const ENCODED_TARGETS: readonly (readonly [given: string, sent: string])[] = [
  ['/größe?q=ß#ü', '/gr%C3%B6%C3%9Fe?q=%C3%9F#%C3%BC'],
  ['/你好', '/%E4%BD%A0%E5%A5%BD'],
  ['/👩‍💻', '/%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB'],
  ['/娘。/½', '/%E5%A8%98%E3%80%82/%C2%BD'],
  ['/a?q="<x>"', '/a?q=%22%3Cx%3E%22'],
  ['https://app.example.com', 'https://app.example.com/'],
  ['https://app.example.com?a=1', 'https://app.example.com/?a=1'],
  ['https://spa.example.com:8443#x', 'https://spa.example.com:8443/#x'],
  ['https://app.example.com?@elsewhere.example', 'https://app.example.com/?@elsewhere.example'],
  ['https://app.example.com#@elsewhere.example', 'https://app.example.com/#@elsewhere.example'],
  ['capacitor://localhost', 'capacitor://localhost/'],
  ['capacitor://localhost/größe', 'capacitor://localhost/gr%C3%B6%C3%9Fe'],
]
