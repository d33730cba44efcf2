package com.example.signin

/**
 * What the app knows of the service. None of it is secret.
 *
 * @property url `PUBLIC_URL` of the service: an origin, without a path or a slash at its end
 * @property app the app's id in `APPS`
 * @property deepLink the app's deep link, to the letter as it stands in `APPS`
 */
data class Service(val url: String, val app: String, val deepLink: String)
