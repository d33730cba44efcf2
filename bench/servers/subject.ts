/** What a server process is to be. It goes to the process as JSON. */
export type Subject =
  /** Fastify with one route that answers JSON: what everything is held against. */
  | { readonly kind: 'bare' }
  /** As `bare`, with 204 for every question of a reverse proxy. */
  | { readonly kind: 'trivial-auth' }
  /** A small API. */
  | { readonly kind: 'upstream' }
  /** `@fastify/reply-from` before an API, and nothing else. */
  | { readonly kind: 'reply-from'; readonly upstream: string }
  /** A fast stand-in for the IdP: discovery, keys, token endpoint. */
  | { readonly kind: 'idp' }
  | ServiceSubject

/** The service itself, both listeners. */
export interface ServiceSubject {
  readonly kind: 'service'
  /** Over what every deployment would set. */
  readonly env: Readonly<Record<string, string>>
  /** Sessions to put into the store before it listens: for `memory:`, which nobody else can fill. */
  readonly fill?: { readonly sessions: number; readonly asked: number }
  /** Sign-ins to begin before it listens; their callbacks are then ready to be sent. */
  readonly callbacks?: number
  /** Watches the event loop and what the sweep of the store in this file reclaims. */
  readonly watchSweep?: string
}

/** What a server process says once it listens. */
export interface Ready {
  readonly port: number
  /** Of the service's inner listener. */
  readonly adminPort?: number
  readonly credentials?: readonly string[]
  readonly callbacks?: readonly Callback[]
}

/** A request that the browser of one sign-in would make next. */
export interface Callback {
  readonly path: string
  readonly cookie: string
}

/** What the operating system says of a server process, and what it counted itself. */
export interface Usage {
  /** User and system time of all its threads, microseconds. */
  readonly cpuUs: number
  readonly rssMb: number
  readonly counts: Readonly<Record<string, number>>
}

/** A server in this process, before anybody asks it. */
export interface Served extends Ready {
  /** What it counted, for `Usage`. */
  readonly count?: () => Readonly<Record<string, number>>
}
