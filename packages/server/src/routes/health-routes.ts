import { jsonResponse, textResponse } from '../http/json-response.ts'
import { choice, flag, json, object, text } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const healthRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'root',
      tag: 'server',
      summary: 'Where to look',
      responses: { 200: { description: 'A few lines.', content: { 'text/plain': { schema: text() } } } },
    },
    handle: ({ server }) => textResponse(pointer(server.version), 'text/plain; charset=utf-8'),
  },
  {
    method: 'get',
    path: '/healthz',
    access: 'open',
    effect: 'reads',
    doc: {
      id: 'healthz',
      tag: 'server',
      summary: 'Whether the process answers',
      responses: { 200: json('It does.', object({ status: choice(['ok']), version: text() })) },
    },
    handle: ({ server }) => jsonResponse({ status: 'ok', version: server.version }),
  },
  {
    method: 'get',
    path: '/readyz',
    access: 'open',
    effect: 'reads',
    doc: {
      id: 'readyz',
      tag: 'server',
      summary: 'Whether every subscription reads (or is paused)',
      responses: {
        200: json('Ready.', object({ ready: flag() })),
        503: json('Starting or stopping.', object({ ready: flag() })),
      },
    },
    handle: ready,
  },
  {
    method: 'get',
    path: '/metrics',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'metrics',
      tag: 'server',
      summary: 'Metrics for Prometheus',
      responses: {
        200: { description: 'Text format 0.0.4.', content: { 'text/plain': { schema: text() } } },
      },
    },
    handle: async ({ server }) => textResponse(await server.operations.metrics(), METRICS_TYPE),
  },
  {
    method: 'get',
    path: '/openapi.json',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'openapi',
      tag: 'server',
      summary: 'This document',
      responses: { 200: json('OpenAPI 3.1.', { type: 'object', additionalProperties: true }) },
    },
    handle: ({ server }) => jsonResponse(server.openApi()),
  },
]

function ready({ server }: Call): Response {
  const isReady = !server.stopping.aborted && server.operations.ready()
  return jsonResponse({ ready: isReady }, isReady ? 200 : 503)
}

function pointer(version: string): string {
  return [
    `eddy ${version}`,
    '',
    'GET  /openapi.json                the API',
    'GET  /v1/subscriptions            how they stand',
    'GET  /v1/failures?status=dead     what was given up',
    'GET  /metrics, /healthz, /readyz',
    '',
  ].join('\n')
}
