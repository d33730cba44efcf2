import { askInPage, type PageRequest } from '../support.ts'
import type { Tab } from './driver.ts'

/** Asks as script on this page would, with cookies; `blocked` when the browser does not let it see the answer. */
export const askByFetch = (tab: Tab, url: string, init: PageRequest = {}): Promise<string> =>
  tab.run(askInPage, [url, init] as const)

/** What an event stream tells this page first; `blocked` when it tells nothing. */
export const askByEventSource = (tab: Tab, url: string): Promise<string> =>
  tab.run(
    (target) =>
      new Promise<string>((resolve) => {
        const source = new EventSource(target, { withCredentials: true })
        const end = (what: string): void => {
          source.close()
          resolve(what)
        }
        source.addEventListener('session', ({ data }) => end(data))
        source.onmessage = ({ data }) => end(data)
        source.onerror = () => end('blocked')
      }),
    url,
  )

/** Has an element of this page load an address. @returns whether it did; a frame says so in any case */
export const loadInElement = (tab: Tab, tag: 'img' | 'script' | 'iframe', url: string): Promise<boolean> =>
  tab.run(
    ([name, src]) =>
      new Promise<boolean>((resolve) => {
        const element = document.createElement(name)
        element.onload = () => resolve(true)
        element.onerror = () => resolve(false)
        element.src = src
        document.body.append(element)
      }),
    [tag, url] as const,
  )

/** Sends a form, as a page does that wants the browser to go there. */
export const sendForm = (tab: Tab, action: string): Promise<void> =>
  tab.run((target) => {
    const form = Object.assign(document.createElement('form'), { action: target, method: 'post' })
    document.body.append(form)
    form.submit()
  }, action)
