import type { AppDefinition, Handler, HandlerContext, SubscriptionDefinition } from '@eddy/core'
import type { Tracer } from '@opentelemetry/api'

type Api = typeof import('@opentelemetry/api')

/**
 * The application with a span around each call of its handlers, where the OpenTelemetry API is installed; without an SDK
 * that is nothing.
 */
export async function tracedApp(app: AppDefinition): Promise<AppDefinition> {
  const api = await import('@opentelemetry/api').catch(() => undefined)
  return api === undefined ? app : withSpans(app, api, api.trace.getTracer('eddy'))
}

/** Handlers of batches have one span a call, and no attempt: each of their events has its own. */
export function withSpans(
  app: AppDefinition,
  api: Pick<Api, 'SpanStatusCode'>,
  tracer: Tracer,
): AppDefinition {
  const subscriptions = app.subscriptions.map((definition): SubscriptionDefinition => {
    const { handle, batch, name } = definition
    return {
      ...definition,
      handle:
        handle === undefined
          ? undefined
          : (((event, ctx) =>
              spanned(api, tracer, attributesOf(ctx), () => handle(event, ctx))) satisfies Handler),
      batch:
        batch === undefined
          ? undefined
          : {
              ...batch,
              handle: (items, ctx) =>
                spanned(
                  api,
                  tracer,
                  {
                    'eddy.subscription': name,
                    'eddy.stream': ctx.stream,
                    'eddy.path': ctx.path,
                    'eddy.events': items.length,
                  },
                  () => batch.handle(items, ctx),
                ) as ReturnType<typeof batch.handle>,
            },
    }
  })
  return { ...app, subscriptions }
}

function attributesOf(ctx: HandlerContext): Readonly<Record<string, string | number>> {
  return {
    'eddy.subscription': ctx.subscription,
    'eddy.stream': ctx.stream,
    'eddy.shard': ctx.shardId,
    'eddy.attempt': ctx.attempt,
    'eddy.path': ctx.path,
    'eddy.event_id': ctx.eventId,
  }
}

function spanned<T>(
  { SpanStatusCode }: Pick<Api, 'SpanStatusCode'>,
  tracer: Tracer,
  attributes: Readonly<Record<string, string | number>>,
  call: () => T,
): T | Promise<Awaited<T>> {
  return tracer.startActiveSpan(`handle ${attributes['eddy.subscription']}`, { attributes }, (span) => {
    const end = (error?: unknown): void => {
      span.setAttribute('eddy.outcome', error === undefined ? 'ok' : 'failed')
      if (error !== undefined) {
        span.recordException(error instanceof Error ? error : String(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
    }
    try {
      const returned = call()
      if (!(returned instanceof Promise)) {
        end()
        return returned
      }
      return returned.then(
        (value: Awaited<T>) => {
          end()
          return value
        },
        (error: unknown) => {
          end(error ?? new Error('failed'))
          throw error
        },
      )
    } catch (error) {
      end(error ?? new Error('failed'))
      throw error
    }
  })
}
