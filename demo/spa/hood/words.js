/** The parties in the order in which they stand in the picture. */
export const PARTIES = { browser: 'Browser', app: 'App', bff: 'oten-bff', oten: 'Oten', api: 'API' }

/** What a member of the request object is for, in a few words. */
export const CLAIMS = {
  alg: 'how it is signed',
  kid: 'which key; its public half is at /auth/jwks.json',
  typ: 'a request object and nothing else',
  iss: 'who asks',
  aud: 'whom: Oten alone may accept it',
  client_id: 'who asks, in the words of OAuth',
  response_type: 'a code, never a token',
  redirect_uri: 'where the answer goes',
  scope: 'what is asked for',
  state: 'ties the answer to this browser; masked',
  nonce: 'ties the ID token to this sign-in; masked',
  code_challenge: 'hash of the secret that redeems the code',
  code_challenge_method: 'how that hash is made',
  prompt: 'whether Oten may ask something',
  max_age: 'how long ago the user may have signed in',
  login_hint: 'whom to ask',
  jti: 'its number: good once',
  iat: 'made at',
  nbf: 'good from',
  exp: 'good until',
}

/** What an attribute of a cookie does. */
export const ATTRIBUTES = {
  HttpOnly: 'no script can read it',
  'SameSite=Strict': 'never sent along from another site',
  'SameSite=Lax': 'from another site only when you navigate, as Oten sends you back',
  'Path=/': 'for the whole service',
  Secure: 'over https alone',
  'Max-Age': (seconds) => `forgotten after ${seconds >= 3600 ? `${seconds / 3600} h` : `${seconds / 60} min`}`,
}
