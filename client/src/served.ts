import { configure } from './origin.ts'

export * from './index.ts'

// The service serves this file as /auth/client.js: where it came from is where the service is.
configure({ url: import.meta.url })
