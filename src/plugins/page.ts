import { hash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:Canvas;color:CanvasText}
main{max-width:26rem;padding:2rem}h1{font-size:1.35rem;margin:0 0 .5rem}p{margin:.5rem 0}
a.button,button{display:inline-block;margin-top:1rem;padding:.7rem 1.2rem;border:0;border-radius:.6rem;background:#1f5eff;
color:#fff;font:inherit;text-decoration:none;cursor:pointer}a.button:focus-visible,button:focus-visible{outline:3px solid #8fb0ff}
small{opacity:.7}`

/** Submits the one form of a page. The button stays for browsers without script. */
const SUBMIT = 'document.forms[0].submit()'

const sourceOf = (text: string): string => `'sha256-${hash('sha256', text, 'base64')}'`

/** Nothing third-party and nothing inline but what is named here (HC-04). No `form-action`: the one form leaves for the IdP. */
const POLICY = `default-src 'none'; style-src ${sourceOf(STYLE)}; base-uri 'none'; frame-ancestors 'none'`
const POLICY_WITH_SUBMIT = `${POLICY}; script-src ${sourceOf(SUBMIT)}`

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

/** What a page of ours can show. Every text is escaped. */
export interface PageContent {
  readonly title: string
  readonly text: string
  readonly errorId?: string | undefined
  readonly link?: { readonly href: string; readonly label: string } | undefined
  /** Sent by itself where script runs, by its button elsewhere. */
  readonly form?: { readonly action: string; readonly fields: Readonly<Record<string, string>>; readonly label: string }
}

/** Answers with a small page of our own: no script beyond the one named, nothing loaded, not frameable. */
export function sendPage(reply: FastifyReply, content: PageContent): FastifyReply {
  return reply
    .header('content-security-policy', content.form === undefined ? POLICY : POLICY_WITH_SUBMIT)
    .header('cross-origin-opener-policy', 'same-origin')
    .type('text/html; charset=utf-8')
    .send(buildPage(content))
}

function buildPage({ title, text, errorId, link, form }: PageContent): string {
  const parts = [
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>`,
    link === undefined ? '' : `<a class="button" href="${escapeHtml(link.href)}">${escapeHtml(link.label)}</a>`,
    form === undefined ? '' : buildForm(form),
    errorId === undefined ? '' : `<p><small>Error id: <code>${escapeHtml(errorId)}</code></small></p>`,
  ]
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>${parts.join('')}</main>${
    form === undefined ? '' : `<script>${SUBMIT}</script>`
  }</body></html>`
}

function buildForm({ action, fields, label }: NonNullable<PageContent['form']>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return `<form method="post" action="${escapeHtml(action)}">${inputs.join('')}<button>${escapeHtml(label)}</button></form>`
}
