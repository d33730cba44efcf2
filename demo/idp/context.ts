import type Provider from 'oidc-provider'

type Use = Parameters<Provider['use']>[0]

/** A request on its way through the provider; `oidc` is there once the provider has it. */
export type Context = Parameters<Use>[0]
export type Next = Parameters<Use>[1]
