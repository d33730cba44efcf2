import { byId } from './dom.js'

// The client comes from the service. When that does not answer, the page can still say so.
const isThere = await import('./client.js').then(
  () => true,
  () => false,
)

if (isThere) {
  await import('./tour.js')
} else {
  document.body.dataset.state = 'unknown'
  for (const view of document.querySelectorAll('.view')) view.hidden = view.dataset.for !== 'unknown'
  byId('retry').addEventListener('click', () => location.reload())
}
