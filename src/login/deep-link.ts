/**
 * The way back into an app: its configured link, exactly, with the outcome in the query. Percent-encoded throughout,
 * since not every platform's URL parser reads `+` as a space.
 */
export function buildDeepLink(deepLink: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = Object.entries(parameters)
    .filter((pair): pair is [string, string] => pair[1] !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `${deepLink}${deepLink.includes('?') ? '&' : '?'}${query.join('&')}`
}
