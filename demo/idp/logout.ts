import type Provider from 'oidc-provider'
import type { Context, Next } from './context.ts'
import { sendError, sendPage } from './page.ts'
import { authorizationsOf, type SessionEnder } from './sessions.ts'

interface Request {
  readonly clientId: string | undefined
  readonly sub: string | undefined
  readonly sid: string | undefined
  readonly redirectUri: string | undefined
}

/**
 * RP-initiated logout. With a hint for whoever is signed in, or with nobody signed in, it happens at once; otherwise
 * the provider asks with its own form, since any page could have sent the browser here.
 */
export async function answerLogout(
  { provider, sessions }: { provider: Provider; sessions: SessionEnder },
  ctx: Context,
  next: Next,
): Promise<void> {
  const request = await readRequest(provider, ctx).catch((cause: Error) => cause)
  if (request instanceof Error) return sendError(ctx, 400, 'invalid_request', request.message)
  const session = await provider.Session.get(ctx)
  const signedIn = session.accountId
  if (signedIn !== undefined && signedIn !== request.sub) return next()

  await sessions.end(
    (candidate) =>
      candidate.uid === session.uid ||
      // A hint without the cookie, as from a client that is no browser, names its session by `sid`.
      (candidate.accountId === request.sub &&
        authorizationsOf(candidate).some(([id, { sid }]) => id === request.clientId && sid === request.sid)),
    { everything: false },
  )
  const cookie = provider.cookieName('session')
  if (signedIn !== undefined)
    ctx.cookies.set(cookie, null, { path: '/', httpOnly: true, sameSite: 'lax', signed: true })
  if (request.redirectUri === undefined) return sendSignedOut(ctx)

  const target = new URL(request.redirectUri)
  if (typeof ctx.query.state === 'string') target.searchParams.set('state', ctx.query.state)
  ctx.status = 303
  ctx.set('cache-control', 'no-store')
  ctx.redirect(target.href)
}

async function readRequest(provider: Provider, ctx: Context): Promise<Request> {
  const { id_token_hint: hint, post_logout_redirect_uri: redirectUri, client_id: clientId } = ctx.query
  for (const value of Object.values(ctx.query)) if (Array.isArray(value)) throw new Error('a parameter is given twice')

  const claims = typeof hint === 'string' ? readClaims(hint) : undefined
  const hintedClient = claims?.aud
  if (claims !== undefined && clientId !== undefined && clientId !== hintedClient) {
    throw new Error('client_id does not match the id_token_hint')
  }
  const id = hintedClient ?? clientId
  const client = typeof id === 'string' ? await provider.Client.find(id) : undefined
  if (id !== undefined && client === undefined) throw new Error('the client is not known')
  if (client !== undefined && typeof hint === 'string') {
    await provider.IdToken.validate(hint, client).catch(() => {
      throw new Error('id_token_hint was not issued here')
    })
  }
  if (typeof redirectUri === 'string' && client?.postLogoutRedirectUriAllowed(redirectUri) !== true) {
    throw new Error('post_logout_redirect_uri is not registered')
  }
  return {
    clientId: client?.clientId,
    sub: typeof claims?.sub === 'string' ? claims.sub : undefined,
    sid: typeof claims?.sid === 'string' ? claims.sid : undefined,
    redirectUri: typeof redirectUri === 'string' ? redirectUri : undefined,
  }
}

function readClaims(hint: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(hint.split('.')[1] ?? '', 'base64url').toString('utf8'))
    if (typeof claims === 'object' && claims !== null) return { ...claims }
  } catch {}
  throw new Error('id_token_hint is not a JWT')
}

/** Says that it is done, where there is no registered place to go back to. */
export function sendSignedOut(ctx: Parameters<typeof sendPage>[0]): void {
  sendPage(ctx, 200, 'Signed out of Oten (simulator)', '<p>You can close this page.</p>')
}

/** Asks, when the one who sent the browser here did not show for whom. One form, no script. */
export function askToLogOut(ctx: Parameters<typeof sendPage>[0], form: string): void {
  sendPage(
    ctx,
    200,
    'Sign out of Oten (simulator)?',
    `${form}
<button class="primary" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`,
  )
}
