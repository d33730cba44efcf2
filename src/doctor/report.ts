import type { Check } from './check.ts'

/** Of the IdP's text, which may be in a detail, none may move the cursor or begin a line of its own. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The one line of a check. */
export function formatCheck(check: Check): string {
  const remedy = check.status === 'ok' ? '' : ` -> ${check.remedy}`
  return `${check.status.padEnd(4)}  ${check.name}: ${check.detail}${remedy}`.replaceAll(UNPRINTABLE, ' ')
}
