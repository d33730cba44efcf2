import { text } from 'node:stream/consumers'
import type Provider from 'oidc-provider'
import type { Context } from './context.ts'
import { SIGN_IN_PATH } from './endpoints.ts'
import { escapeHtml, sendError, sendPage } from './page.ts'
import type { SessionEnder } from './sessions.ts'
import type { Stats } from './stats.ts'

/** OIDC Core §2: a `sub` has at most 255 characters. */
const NAME_MAX = 255
const FORM_OCTETS_MAX = 16 * 1024

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

interface SignInDeps {
  readonly provider: Provider
  readonly sessions: SessionEnder
  readonly stats: Stats
}

/** `GET` and `POST /sign-in/{id}`: the one form of the simulator. Any name signs in and is the `sub`. */
export async function answerSignIn({ provider, sessions, stats }: SignInDeps, ctx: Context): Promise<void> {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res).catch(() => undefined)
  if (interaction === undefined || ctx.path !== `${SIGN_IN_PATH}/${interaction.uid}`) {
    sendError(ctx, 400, 'invalid_request', 'This sign-in has expired or was already finished. Start again in the app.')
    return
  }
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return sendForm(ctx, interaction, '')
  if (ctx.method !== 'POST' || !ctx.is('application/x-www-form-urlencoded')) {
    return sendError(ctx, 405, 'invalid_request', 'Only the form of this page can be sent here.')
  }
  if ((ctx.request.length ?? 0) > FORM_OCTETS_MAX)
    return sendError(ctx, 413, 'invalid_request', 'The form is too large.')
  const form = new URLSearchParams(await text(ctx.req))
  const name = (form.get('login') ?? '').trim()
  const action = form.get('action')

  if (action === 'deny') {
    stats.denials += 1
    const result = { error: 'access_denied', error_description: 'The user declined' }
    return redirect(ctx, await provider.interactionResult(ctx.req, ctx.res, result))
  }
  if (action !== 'allow') return sendForm(ctx, interaction, 'Choose one of the two buttons.')
  if (name === '' || name.length > NAME_MAX)
    return sendForm(ctx, interaction, `Enter a name of 1 to ${NAME_MAX} characters.`)

  await leaveOtherAccount(interaction, name, sessions)
  stats.logins += 1
  // One form answers every prompt that may have been asked for.
  const result = { login: { accountId: name }, consent: {}, select_account: {} }
  redirect(ctx, await provider.interactionResult(ctx.req, ctx.res, result))
}

/**
 * When someone else is signed in, the provider would log them out with a page that needs script. Ending that session
 * here, and untying this sign-in from it, lets the form do without.
 */
async function leaveOtherAccount(interaction: Interaction, name: string, sessions: SessionEnder): Promise<void> {
  const { session } = interaction
  if (session?.uid === undefined || session.accountId === name) return
  await sessions.end((candidate) => candidate.uid === session.uid, { everything: false })
  delete interaction.session
  await interaction.persist()
}

function redirect(ctx: Context, location: string): void {
  ctx.status = 303
  ctx.set('cache-control', 'no-store')
  ctx.redirect(location)
}

function sendForm(ctx: Context, interaction: Interaction, problem: string): void {
  const hint = interaction.params.login_hint ?? interaction.session?.accountId ?? ''
  const notice = problem === '' ? '' : `<p role="alert">${escapeHtml(problem)}</p>`
  sendPage(
    ctx,
    problem === '' ? 200 : 400,
    'Sign in to Oten (simulator)',
    `<p>${escapeHtml(String(interaction.params.client_id))} asks you to sign in. Any name will do, there is no password.</p>
${notice}
<form method="post">
<label for="login">Name</label>
<input id="login" name="login" type="text" value="${escapeHtml(String(hint))}" maxlength="${NAME_MAX}" autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
<button class="primary" type="submit" name="action" value="allow">Sign in</button>
<button type="submit" name="action" value="deny">Decline</button>
</form>`,
  )
}
