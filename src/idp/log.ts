/** What this folder asks of a log: pino's, or a test's. Fields never hold a token, a code, a secret or a query. */
export interface IdpLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
