import { showCookies } from './cookies.js'
import { watchExchanges } from './exchanges.js'
import { showRequestObject } from './request-object.js'
import { showSequence } from './sequence.js'

watchExchanges((exchanges) => {
  void showRequestObject(exchanges)
  showCookies(exchanges)
  showSequence(exchanges)
})
