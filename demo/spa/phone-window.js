import { byId } from './dom.js'

/** The size of a phone, beside this page. Without script, or where windows are not wanted, it is a tab. */
const SIZE = { width: 420, height: 860 }

byId('open-phone').addEventListener('click', (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey
  if (!isPlain || innerWidth < 2 * SIZE.width) return
  const { href, target } = event.currentTarget
  const left = Math.max(0, screen.availWidth - SIZE.width - 40)
  const features = `popup,width=${SIZE.width},height=${SIZE.height},left=${left},top=40`
  if (window.open(href, target, features) !== null) event.preventDefault()
})
