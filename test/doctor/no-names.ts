import dns from 'node:dns'

/** Preloaded into a process that should be as on a machine without a network: names of others cannot be resolved. */
const lookUp = dns.lookup

const lookup = (host: string, ...rest: [unknown, ...unknown[]]): unknown => {
  if (['localhost', '127.0.0.1', '::1'].includes(host)) return Reflect.apply(lookUp, dns, [host, ...rest])
  const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${host}`), { code: 'EAI_AGAIN' })
  const callback = rest.at(-1)
  if (typeof callback === 'function') setImmediate(() => callback(error))
  return {}
}

Reflect.set(dns, 'lookup', lookup)
