import type { Service } from './protocol/service.ts'

/** Yours. `app.json` has the same deep link: once as an intent filter, once as an associated domain. */
export const SERVICE: Service = {
  url: 'https://app.example.com',
  app: 'mobile',
  deepLink: 'https://app.example.com/signed-in',
}

/** A path of `API_ROUTES`. */
export const API_PATH = '/api/orders'
