/** How it shows in an exchange, and what it is called. Values are masked: it shows by its name. */
const IN_REQUESTS = [
  [({ requestObject }) => requestObject !== undefined, 'request object'],
  [({ path, body = '' }) => /[?&]code=/.test(path) || /(^|&)code=/.test(body), 'code'],
  [({ path }) => /[?&]id_token_hint=/.test(path), 'ID token'],
  [({ headers }) => headers.some((line) => /^Cookie:.*oten_tx_/.test(line)), 'transaction cookie'],
  [({ headers }) => headers.some((line) => /^Cookie:.*oten_session=/.test(line)), 'session cookie'],
  [({ headers }) => headers.some((line) => line.startsWith('Authorization: Bearer')), 'token'],
  [({ headers }) => headers.some((line) => line.startsWith('Authorization: Basic')), 'client secret'],
]

const IN_ANSWERS = [
  [({ answer }) => answer.setCookies.some((line) => /oten_tx_[\w-]{8}=[^;]/.test(line)), 'transaction cookie'],
  [({ answer }) => answer.setCookies.some((line) => /oten_session=[^;]/.test(line)), 'session cookie'],
]

/** What a message brings that is worth something. */
export const listCarried = ({ isRequest, exchange }) =>
  (isRequest ? IN_REQUESTS : IN_ANSWERS).flatMap(([carries, name]) => (carries(exchange) ? [name] : []))
