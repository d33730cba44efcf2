/**
 * URI schemes that no app may claim as its private-use scheme: they run script, read local data, reach other programs,
 * or belong to browsers and systems. A code sent there would not come back to the app.
 */
const TAKEN_SCHEMES: ReadonlySet<string> = new Set([
  ...['javascript', 'vbscript', 'livescript', 'data', 'blob', 'filesystem', 'file', 'about', 'view-source', 'jar'],
  ...[
    'chrome',
    'chrome-extension',
    'moz-extension',
    'safari-web-extension',
    'resource',
    'edge',
    'ms-browser-extension',
  ],
  ...['http', 'https', 'ws', 'wss', 'ftp', 'ftps', 'sftp', 'ssh', 'telnet', 'gopher', 'ldap', 'ldaps', 'smb', 'nfs'],
  ...['mailto', 'tel', 'sms', 'smsto', 'mms', 'callto', 'sip', 'sips', 'xmpp', 'irc', 'geo', 'maps', 'facetime', 'urn'],
  ...['intent', 'content', 'android-app', 'android-resource', 'market', 'itms', 'itms-apps', 'itms-services'],
])

/** True for a scheme that an app can own (RFC 8252 §7.1). */
export const isPrivateUseScheme = (scheme: string): boolean => !TAKEN_SCHEMES.has(scheme)
