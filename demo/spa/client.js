/**
 * The browser client, from the service itself. An app with a bundler writes `from 'oten-bff-client'` instead, and tells it
 * by `configure` where the service is.
 */
export * from '{{BFF_URL}}/auth/client.js'
