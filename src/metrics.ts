import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds. A store answers in fractions of a millisecond, an IdP in tenths of a second, up to its limit of ten. */
const STORE_BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5]
const IDP_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/**
 * What the service counts of itself. The names and labels are public (docs/operations.md): they do not change meaning.
 * No label holds anything of a user, and each has a fixed, small set of values. Requests are not counted: whatever stands
 * in front does that, and here it would cost the fastest answers a tenth of their speed.
 */
export interface Metrics {
  readonly registry: Registry
  /** `client`: browser or app. */
  readonly signInStarts: Counter<'client'>
  /** `outcome`: succeeded, an `auth_error`, or unknown_transaction, whose `client` is unknown as well. */
  readonly signIns: Counter<'client' | 'outcome'>
  /** `outcome`: redeemed or refused. */
  readonly handoffs: Counter<'outcome'>
  /** `kind`: browser-cookie, app-cookie, app-token. */
  readonly sessionsStarted: Counter<'kind'>
  /** `reason`: logout, backchannel, revoked. What ran out is not seen. */
  readonly sessionsEnded: Counter<'reason'>
  /** `outcome`: refreshed, ended (the IdP said so), unavailable. */
  readonly refreshes: Counter<'outcome'>
  /** `outcome`: accepted or refused. */
  readonly backchannelLogouts: Counter<'outcome'>
  /** `code`: of the error body. */
  readonly errors: Counter<'code'>
  readonly eventStreams: Gauge
  /** `outcome`: ok or failed. */
  readonly storeDuration: Histogram<'verb' | 'outcome'>
  /** `endpoint`: discovery, jwks, token, revocation. `outcome`: 2xx, 4xx, 5xx or unreachable. */
  readonly idpDuration: Histogram<'endpoint' | 'outcome'>
}

/** @returns metrics of their own, so that two services in one process do not count together */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <T extends string>(name: string, help: string, ...labelNames: T[]): Counter<T> =>
    new Counter({ name: `oten_bff_${name}`, help, labelNames, registers })
  const histogram = <T extends string>(name: string, help: string, buckets: number[], ...labelNames: T[]) =>
    new Histogram({ name: `oten_bff_${name}`, help, labelNames, buckets, registers })
  const metrics: Metrics = {
    registry,
    signInStarts: counter('sign_in_starts_total', 'Sign-ins begun', 'client'),
    signIns: counter('sign_ins_total', 'Callbacks, by what came of the sign-in', 'client', 'outcome'),
    handoffs: counter('handoffs_total', 'Handoff codes that apps showed', 'outcome'),
    sessionsStarted: counter('sessions_started_total', 'Sessions begun', 'kind'),
    sessionsEnded: counter('sessions_ended_total', 'Sessions ended before their time', 'reason'),
    refreshes: counter('refreshes_total', 'Refreshes by this replica', 'outcome'),
    backchannelLogouts: counter('backchannel_logouts_total', 'Logout tokens received', 'outcome'),
    errors: counter('errors_total', 'Failures answered, by their code', 'code'),
    eventStreams: new Gauge({ name: 'oten_bff_event_streams', help: 'Event streams open here', registers }),
    storeDuration: histogram('store_duration_seconds', 'Answers of the store', STORE_BUCKETS_S, 'verb', 'outcome'),
    idpDuration: histogram('idp_duration_seconds', 'Answers of the IdP', IDP_BUCKETS_S, 'endpoint', 'outcome'),
  }
  beginAtZero(metrics)
  return metrics
}

/** A counter that appears with its first count hides that count from whoever asks for the increase. */
function beginAtZero(metrics: Metrics): void {
  for (const client of ['browser', 'app']) {
    metrics.signInStarts.inc({ client }, 0)
    for (const outcome of ['succeeded', 'sign_in_failed', 'idp_unavailable'])
      metrics.signIns.inc({ client, outcome }, 0)
  }
  for (const kind of ['browser-cookie', 'app-cookie', 'app-token']) metrics.sessionsStarted.inc({ kind }, 0)
  for (const reason of ['logout', 'backchannel', 'revoked']) metrics.sessionsEnded.inc({ reason }, 0)
  for (const outcome of ['refreshed', 'ended', 'unavailable']) metrics.refreshes.inc({ outcome }, 0)
  for (const outcome of ['redeemed', 'refused']) metrics.handoffs.inc({ outcome }, 0)
  for (const outcome of ['accepted', 'refused']) metrics.backchannelLogouts.inc({ outcome }, 0)
}

/** Memory, CPU, event loop and garbage collection of this process, too: once per process, by whoever owns it. */
export function addProcessMetrics({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry })
}
