import { BffError, fetch } from './client.js'
import { byId } from './dom.js'
import { formatJson } from './format-json.js'

/** Called with the session cookie. There is no token to add: this page never has one. */
const PATH = '/api/demo/hello'

/**
 * Calls the API behind the proxy and shows its answer.
 *
 * @throws {BffError} when there was none, or no success
 */
export async function callApi() {
  const startedAt = performance.now()
  const response = await fetch(PATH).catch(() => undefined)
  const answer = (await response?.json().catch(() => undefined)) ?? {}
  const ms = Math.round(performance.now() - startedAt)
  const isGood = response?.ok === true
  if (response?.status !== 401) show({ response, answer, isGood, ms })
  if (!isGood) throw new BffError(response?.status ?? 0, answer)
}

function show({ response, answer, isGood, ms }) {
  byId('api-request').textContent = `GET ${PATH}`
  byId('api-status').textContent = isGood ? `${response.status} in ${ms} ms` : `${response?.status ?? 'no answer'}`
  byId('api-status').classList.toggle('bad', !isGood)
  byId('api-result').textContent = formatJson(isGood ? answer : { error: answer.error ?? 'no_answer' })
  byId('api').hidden = false
}
