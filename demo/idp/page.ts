import { createHash } from 'node:crypto'
import type { Context } from './context.ts'

const CSS = `
:root { color-scheme: light dark; --text: #1c2430; --muted: #5b6676; --card: #fff; --back: #eef1f6; --line: #cbd2dc; --brand: #3457d5 }
@media (prefers-color-scheme: dark) { :root { --text: #e8ecf3; --muted: #9aa6b8; --card: #1b222d; --back: #10151d; --line: #3a4557; --brand: #4a66dc } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; place-items: center; padding: 1rem; background: var(--back); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 24rem; background: var(--card); border: 1px solid var(--line); border-radius: 1rem; padding: 2rem }
h1 { margin: 0 0 .25rem; font-size: 1.35rem; line-height: 1.25 }
p { margin: 0 0 1.25rem; color: var(--muted); overflow-wrap: anywhere }
p.badge { display: inline-block; margin: 0 0 1rem; padding: .1rem .6rem; border: 1px solid currentcolor; border-radius: 1rem; font-size: .8rem }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
input { width: 100%; padding: .7rem .8rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .6rem }
button { width: 100%; margin-top: .75rem; padding: .75rem; font: inherit; font-weight: 600; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .6rem; cursor: pointer }
button.primary { margin-top: 1.25rem; color: #fff; background: var(--brand); border-color: var(--brand) }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px }
`
const CSS_HASH = createHash('sha256').update(CSS).digest('base64')

// Without `form-action`: browsers apply it to the redirects after a form as well, and these lead to the client.
const POLICY = `default-src 'none'; style-src 'sha256-${CSS_HASH}'; base-uri 'none'; frame-ancestors 'none'`

/** @returns text that is safe between tags and inside quoted attributes */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * Sends one page in the simulator's looks, without script.
 *
 * @param body HTML, already escaped
 */
export function sendPage(
  ctx: Pick<Context, 'status' | 'body' | 'set'>,
  status: number,
  title: string,
  body: string,
): void {
  ctx.status = status
  ctx.set({
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  ctx.body = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${CSS}</style>
</head>
<body>
<main>
<p class="badge">Simulator: not the real Oten</p>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`
}

/** What a browser sees, and a program gets as JSON, when there is nowhere to send an error. */
export function sendError(
  ctx: Pick<Context, 'status' | 'body' | 'set' | 'accepts'>,
  status: number,
  error: string,
  description: string,
): void {
  if (ctx.accepts('json', 'html') === 'html') {
    sendPage(
      ctx,
      status,
      'Oten (simulator) cannot go on',
      `<p>${escapeHtml(description)}</p><p>${escapeHtml(error)}</p>`,
    )
    return
  }
  ctx.status = status
  ctx.set('cache-control', 'no-store')
  ctx.body = { error, error_description: description }
}
