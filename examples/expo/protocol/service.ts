/** What the app knows of the service. None of it is secret. */
export interface Service {
  /** `PUBLIC_URL` of the service: an origin, without a path or a slash at its end. */
  readonly url: string
  /** The app's id in `APPS`. */
  readonly app: string
  /** The app's deep link, to the letter as it stands in `APPS`. */
  readonly deepLink: string
}
