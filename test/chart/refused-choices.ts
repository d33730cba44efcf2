import { each, type Refusal } from './refusal.ts'

const choices: readonly Refusal[] = [
  ...each(
    ['RS256', 'none', 'eddsa', 'ES256'],
    (alg) => ({ requestObject: { alg } }),
    (value) => `${value} as requestObject.alg`,
    /at '\/requestObject\/alg': value must be one of 'EdDSA', 'Ed25519', 'HS256'/,
  ),
  ...each(
    ['loud', 'INFO', 'verbose', ''],
    (logLevel) => ({ logLevel }),
    (value) => `'${value}' as logLevel`,
    /at '\/logLevel': value must be one of/,
  ),
  ...each(
    [0, -1, 1.5, '60'],
    (idleS) => ({ session: { idleS } }),
    (value) => `${JSON.stringify(value)} as session.idleS`,
    /at '\/session\/idleS': /,
  ),
  ...each(
    ['maxS', 'appIdleS', 'appMaxS'],
    (name) => ({ session: { [String(name)]: 0 } }),
    (name) => `0 as session.${name}`,
    /at '\/session\/\w+': minimum: got 0, want 1/,
  ),
  ...each(
    [29, 301],
    (ttlS) => ({ requestObject: { ttlS } }),
    (value) => `${value} as requestObject.ttlS`,
    /at '\/requestObject\/ttlS': m/,
  ),
  {
    what: '11 as requestObject.backdateS',
    values: { requestObject: { backdateS: 11 } },
    says: /at '\/requestObject\/backdateS': maximum/,
  },
  {
    what: 'an unknown typ',
    values: { requestObject: { typ: 'jwt' } },
    says: /at '\/requestObject\/typ': value must be one of/,
  },
  {
    what: 'an unknown client authentication',
    values: { oten: { tokenAuth: 'none' } },
    says: /at '\/oten\/tokenAuth': value must be one of/,
  },
  { what: 'a scope without openid', values: { oten: { scope: 'profile' } }, says: /at '\/oten\/scope': / },
  {
    what: 'an unknown SameSite',
    values: { session: { sameSite: 'Strict' } },
    says: /at '\/session\/sameSite': value must be one of/,
  },
  { what: 'an unknown mode', values: { mode: 'ambassador' }, says: /at '\/mode': value must be one of/ },
  {
    what: 'an unknown kind of store',
    values: { sessionStore: { kind: 'postgres' } },
    says: /at '\/sessionStore\/kind': value must be one of/,
  },
  {
    what: 'a volume that several nodes may mount',
    values: { sessionStore: { embedded: { accessMode: 'ReadWriteMany' } } },
    says: /at '\/sessionStore\/embedded\/accessMode': value must be one of/,
  },
  { what: 'a port that is none', values: { listen: { port: 70000 } }, says: /at '\/listen\/port': maximum/ },
  {
    what: 'a user that is root',
    values: { podSecurity: { runAsUser: 0 } },
    says: /at '\/podSecurity\/runAsUser': minimum/,
  },
  { what: 'no wait before a stop', values: { drain: { preStopS: 0 } }, says: /at '\/drain\/preStopS': minimum/ },
]

const replicas: readonly Refusal[] = [
  ...each(
    ['embedded', 'memory'],
    (kind) => ({ replicas: 2, sessionStore: { kind } }),
    (kind) => `two replicas on the store ${kind}`,
    /at '\/replicas': maximum: got 2, want 1/,
  ),
  ...each(
    ['embedded', 'memory'],
    (kind) => ({ autoscaling: { enabled: true }, sessionStore: { kind } }),
    (kind) => `autoscaling on the store ${kind}`,
    /at '\/autoscaling\/enabled': value must be false/,
  ),
  { what: 'no replica', values: { replicas: 0 }, says: /at '\/replicas': minimum/ },
  {
    what: 'autoscaling from more replicas than it may reach',
    values: { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 4 } },
    scenario: 'redis',
    says: /autoscaling\.minReplicas must not be above/,
  },
]

const unknown: readonly Refusal[] = [
  { what: 'an unknown value', values: { replicaCount: 2 }, says: /additional properties 'replicaCount' not allowed/ },
  {
    what: 'a misspelt value of a group',
    values: { oten: { clientID: 'abc' } },
    says: /at '\/oten': additional properties 'clientID' not allowed/,
  },
  {
    what: 'a misspelt peer',
    values: { networkPolicy: { admin: { from: [{ podSelectors: {} }] } } },
    says: /additional properties 'podSelectors' not allowed/,
  },
  { what: 'a peer that says nothing', values: { networkPolicy: { main: { from: [{}] } } }, says: /minProperties/ },
  {
    what: 'a policy that lets nobody in',
    values: { networkPolicy: { main: { from: [] } } },
    says: /at '\/networkPolicy\/main\/from': .*minItems/s,
  },
  ...each(
    [
      'OTEN_CLIENT_SECRET',
      'SESSION_STORE',
      'ADMIN_TOKEN',
      'ADMIN_HOST',
      'JAR_ALG',
      'PUBLIC_URL',
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'ALLOW_INSECURE_ISSUER',
      'lower',
    ],
    (name) => ({ extraEnv: { [String(name)]: 'x' } }),
    (name) => `${name} as a further variable`,
    /at '\/extraEnv/,
  ),
]

const missing: readonly Refusal[] = [
  { what: 'no image', values: { image: { repository: '' } }, says: /- image\.repository is required/ },
  { what: 'no publicUrl', values: { publicUrl: '' }, says: /- publicUrl is required/ },
  { what: 'no client id', values: { oten: { clientId: '' } }, says: /- oten\.clientId is required/ },
  {
    what: 'no Secret',
    values: { secret: { existingSecret: '' } },
    says: /- secret\.existingSecret is required: .*SESSION_KEYS, JAR_KEYS, OTEN_CLIENT_SECRET/,
  },
  {
    what: 'mode sidecar without a frontend',
    values: { mode: 'sidecar' },
    says: /- frontend\.image\.repository is required.*\n\s+- frontend\.image\.tag or/,
  },
  {
    what: 'a Gateway that is not named',
    values: { gateway: { enabled: true } },
    says: /at '\/gateway\/parentRefs': minItems/,
  },
]

const conflicts: readonly Refusal[] = [
  {
    what: 'one port for both listeners',
    values: { listen: { port: 8081 } },
    says: /must differ: they share the pod's address/,
  },
  {
    what: "a frontend on the service's port",
    values: { frontend: { port: 8080 } },
    scenario: 'sidecar',
    says: /must differ: they share the pod's address/,
  },
  {
    what: 'one port of the Service for both containers',
    values: { service: { frontendPort: 8080 } },
    scenario: 'sidecar',
    says: /service\.port and service\.frontendPort must differ/,
  },
  {
    what: 'a prefix that two APIs share',
    values: {
      apiRoutes: [
        { prefix: '/api/a', upstream: 'https://a.internal' },
        { prefix: '/api/a', upstream: 'https://b.internal' },
      ],
    },
    says: /each prefix once/,
  },
  {
    what: 'the address of a Redis that is not used',
    values: { sessionStore: { redis: { url: 'redis://redis:6379' } } },
    says: /sessionStore\.redis\.url is not used/,
  },
]

/** All but names and addresses. */
export const refusedChoices: readonly Refusal[] = [...choices, ...replicas, ...unknown, ...missing, ...conflicts]
