import { until } from '../../support/until.ts'
import { STEP_MS, type Tab } from './driver.ts'

/** Where a tab is, asked in the page itself: drivers do not notice each way to get somewhere. */
export const readUrl = (tab: Tab): Promise<string> => tab.run(() => location.href, undefined)

/** Waits until a tab has loaded an address that begins so. */
export async function waitForUrl(tab: Tab, start: string): Promise<void> {
  const isThere = (wanted: string): boolean => location.href.startsWith(wanted) && document.readyState === 'complete'
  await until(() => tab.run(isThere, start), STEP_MS)
}

/**
 * Does something that leads away and back, and waits until the tab is there again, with another document than before.
 *
 * @param back where it ends
 */
export async function goAwayAndBack(tab: Tab, leave: () => Promise<void>, back: string): Promise<void> {
  await tab.run(() => void Reflect.set(window, 'isBefore', true), undefined)
  await leave()
  const isBack = (wanted: string): boolean =>
    location.href === wanted && document.readyState === 'complete' && !Reflect.has(window, 'isBefore')
  await until(() => tab.run(isBack, back), STEP_MS)
}

/** Status of the answer that this document came with. */
export const readStatus = (tab: Tab): Promise<number> =>
  tab.run(
    () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).responseStatus,
    undefined,
  )
