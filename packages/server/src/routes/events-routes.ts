import { eventStream } from '../events/event-stream.ts'
import { problemOf } from '../http/problem.ts'
import { streamResponse } from '../http/stream-response.ts'
import { text } from '../openapi/schema.ts'
import type { Call, Route } from '../route.ts'

export const eventsRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/v1/events',
    access: 'token',
    effect: 'reads',
    doc: {
      id: 'watchEvents',
      tag: 'events',
      summary: 'Live state as server-sent events',
      description:
        'Event `subscriptions` carries an array of `Subscription`, event `notice` a `Notice`. Ids count from 1 in each stream; a new stream begins with a snapshot, so nothing is resumed. A comment comes every 15 s. At most 100 streams are open at a time.',
      responses: {
        200: {
          description: 'A stream without end.',
          content: {
            'text/event-stream': {
              schema: text(),
              example: 'id: 1\nevent: subscriptions\ndata: []\n\n',
            },
          },
        },
      },
    },
    handle: watch,
  },
]

function watch(call: Call): Response {
  const { server, context } = call
  return streamResponse(call, 'text/event-stream', () => {
    const leave = server.eventStreams.enter()
    try {
      return eventStream((signal) => server.operations.watch(signal), {
        heartbeatMs: server.limits.heartbeatMs,
        maxStalledHeartbeats: server.limits.maxStalledHeartbeats,
        stopping: server.stopping,
        onError: (error) => problemOf(error, server.logger),
        onEnd: leave,
        onStalled: () => context.env?.outgoing?.destroy(),
      })
    } catch (error) {
      leave()
      throw error
    }
  })
}
