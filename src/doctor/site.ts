import { isIP } from 'node:net'

/**
 * Whether two origins are of one site, for browsers: the same scheme, and the same registrable domain (HTML Standard,
 * "same site"). `presumed`: as far as names can tell, without the Public Suffix List.
 */
export type SiteRelation =
  | { readonly kind: 'same' }
  | { readonly kind: 'cross'; readonly reason: string }
  | { readonly kind: 'presumed'; readonly domain: string }

/** `co.uk`, `com.au`: second levels below which a country's registry lets others register. */
const COUNTRY_SUFFIX = /^(?:co|com|net|org|gov|edu|ac|or|ne|go)\.[a-z]{2}$/

/** Hosting domains whose subdomains belong to different people (the private part of the Public Suffix List). */
const SHARED_DOMAINS: ReadonlySet<string> = new Set([
  ...['github.io', 'gitlab.io', 'pages.dev', 'workers.dev', 'vercel.app', 'netlify.app', 'web.app', 'firebaseapp.com'],
  ...['herokuapp.com', 'azurewebsites.net', 'cloudfront.net', 'onrender.com', 'fly.dev', 'a.run.app', 'deno.dev'],
  ...['ngrok.io', 'ngrok.app', 'ngrok-free.app', 'surge.sh', 'appspot.com', 'amplifyapp.com', 'up.railway.app'],
  ...['azurestaticapps.net', 'trycloudflare.com', 'replit.app'],
])

/** @param one @param other http or https origins */
export function relateSites(one: URL, other: URL): SiteRelation {
  if (one.protocol !== other.protocol) return cross('http and https are different sites')
  if (one.hostname === other.hostname) return { kind: 'same' } // Ports do not count.
  const hosts = [one.hostname, other.hostname]
  if (hosts.every(isLocal)) return cross(`${hosts.join(' and ')} are different sites, though the same machine`)
  if (hosts.some(isLocal) || hosts.some(isAddress)) return cross('an address and a name are different sites')
  const domain = findCommonEnd(one.hostname, other.hostname)
  if (!domain.includes('.')) return cross('they have no domain in common')
  if (COUNTRY_SUFFIX.test(domain) || SHARED_DOMAINS.has(domain)) {
    return cross(`anybody can have a name below ${domain}, so each is a site of its own`)
  }
  return { kind: 'presumed', domain }
}

const cross = (reason: string): SiteRelation => ({ kind: 'cross', reason })

const isLocal = (host: string): boolean => host === 'localhost' || host === '127.0.0.1' || host === '[::1]'

const isAddress = (host: string): boolean => isIP(host.replace(/^\[|\]$/g, '')) !== 0

/** The labels in which two names end alike: `example.com` of `spa.example.com` and `login.example.com`. */
function findCommonEnd(one: string, other: string): string {
  const others = other.split('.').toReversed()
  const labels = one.split('.').toReversed()
  const differing = labels.findIndex((label, index) => label !== others[index])
  return (differing === -1 ? labels : labels.slice(0, differing)).toReversed().join('.')
}
