export { embeddedMetrics } from '../metrics/embedded-metrics.ts'
export { jsonLogger } from './function-logger.ts'
export { type Handlers, type HandlersOptions, type HttpAppOptions, handlers } from './handlers.ts'
export type { HttpEvent, HttpResult } from './http-event.ts'
export type { HttpApp } from './http-handler.ts'
export type {
  BatchResponse,
  InvocationContext,
  KinesisEvent,
  SnsEvent,
  SqsEvent,
} from './lambda-events.ts'
export { withSpans } from './traced-app.ts'
