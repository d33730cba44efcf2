import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import * as api from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

// Loaded only when an endpoint is configured (main.ts), so that nobody else pays for these libraries: 55 ms of the start.

type Attributes = api.Attributes

/** Where a request stands in a trace. */
export interface RequestSpan {
  /** For whoever is asked next in this request's name (W3C Trace Context §3.2). */
  readonly traceparent: string
  /** Everything that begins in `work` belongs to this request. */
  run(work: () => void): void
  end(status: number): void
}

/** Traces for OpenTelemetry. Attributes hold routes, statuses and ids of ours; never a query, a header or a body. */
export interface Tracing {
  /** @param inbound the caller's `traceparent`: its trace goes on where it makes sense */
  startRequest(name: string, inbound: unknown, attributes: Attributes): RequestSpan
  /** A call to somebody else, part of the request that it is made for. `describe` says what came of it. */
  call<T>(name: string, attributes: Attributes, ask: () => Promise<T>, describe: (answer: T) => Attributes): Promise<T>
  /** Sends what has not been sent; takes 1.5 s at most, and never throws. */
  close(): Promise<void>
}

/** What a collector may take to accept spans; and, of the 11 s that a stop may take, the part that is left for them. */
const SEND_MAX_MS = 5000
const CLOSE_MAX_MS = 1500

/**
 * Spans go to `<endpoint>/v1/traces` as OTLP over HTTP, in the background.
 *
 * @param endpoint the value of OTEL_EXPORTER_OTLP_ENDPOINT
 */
export function openTracing(endpoint: string): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: SEND_MAX_MS,
  })
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'oten-bff' }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('oten-bff')
  const propagator = new W3CTraceContextPropagator()
  const active = new AsyncLocalStorage<api.Context>()

  const inject = (context: api.Context): string => {
    const carrier: Record<string, string> = {}
    propagator.inject(context, carrier, api.defaultTextMapSetter)
    return carrier.traceparent ?? ''
  }

  const fail = (span: api.Span): api.Span => span.setStatus({ code: api.SpanStatusCode.ERROR })

  return {
    startRequest(name, inbound, attributes) {
      const carrier = typeof inbound === 'string' ? { traceparent: inbound } : {}
      const parent = propagator.extract(api.ROOT_CONTEXT, carrier, api.defaultTextMapGetter)
      const span = tracer.startSpan(name, { kind: api.SpanKind.SERVER, attributes }, parent)
      const context = api.trace.setSpan(parent, span)
      return {
        traceparent: inject(context),
        run: (work) => active.run(context, work),
        end(status) {
          span.setAttribute('http.response.status_code', status)
          if (status >= 500) fail(span)
          span.end()
        },
      }
    },

    async call(name, attributes, ask, describe) {
      const parent = active.getStore() ?? api.ROOT_CONTEXT
      const span = tracer.startSpan(name, { kind: api.SpanKind.CLIENT, attributes }, parent)
      try {
        const answer = await ask()
        span.setAttributes(describe(answer))
        return answer
      } catch (error) {
        fail(span) // Without the error's words, which are for the log.
        throw error
      } finally {
        span.end()
      }
    },

    async close() {
      // What a collector that is away has not taken by now is lost; the end of the process does not depend on it.
      await Promise.race([provider.shutdown().catch(() => {}), sleep(CLOSE_MAX_MS, undefined, { ref: false })])
    },
  }
}
