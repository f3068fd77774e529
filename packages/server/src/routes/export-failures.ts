import type { FailureDetail } from '@eddy/core'
import { queryInteger } from '../http/query.ts'
import { streamResponse } from '../http/stream-response.ts'
import type { RouteDoc } from '../openapi/route-doc.ts'
import { integer, text } from '../openapi/schema.ts'
import type { Call } from '../route.ts'
import { filterParameters, queryFilter } from './failure-filter.ts'

const MAX_LIMIT = 10_000_000
const encoder = new TextEncoder()

export const exportDoc: RouteDoc = {
  id: 'exportFailures',
  tag: 'failures',
  summary: 'Export failed events with their payloads',
  description: 'One `FailureDetail` a line. An export that fails on the way ends with a broken connection.',
  parameters: [
    ...filterParameters,
    {
      name: 'limit',
      in: 'query',
      description: 'At most this many.',
      schema: integer(undefined, { minimum: 1, maximum: MAX_LIMIT }),
    },
  ],
  responses: {
    200: {
      description: 'Newline-delimited JSON.',
      content: { 'application/x-ndjson': { schema: text() } },
    },
  },
}

/** The first item is read before the answer begins, so that a refused export is a problem and not a broken stream. */
export async function exportFailures(call: Call): Promise<Response> {
  const limit = queryInteger(call.query, 'limit', { min: 1, max: MAX_LIMIT })
  const details = call.server.operations.exportFailures(queryFilter(call.query), limit)
  const iterator = details[Symbol.asyncIterator]()
  const first = await iterator.next()
  return streamResponse(call, 'application/x-ndjson', () => lines(call, iterator, first))
}

function lines(
  call: Call,
  iterator: AsyncIterator<FailureDetail>,
  first: IteratorResult<FailureDetail>,
): ReadableStream<Uint8Array> {
  let next: IteratorResult<FailureDetail> | undefined = first
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = next ?? (await iterator.next())
          next = undefined
          if (step.done === true) controller.close()
          else controller.enqueue(encoder.encode(`${JSON.stringify(step.value)}\n`))
        } catch (error) {
          call.server.logger.error({ errorType: errorName(error) }, 'export failed on the way')
          // A clean end would pass for a whole export (I9). Without the socket, Node's adapter cancels this stream.
          const outgoing = call.context.env?.outgoing
          if (outgoing === undefined) controller.error(new Error('the export failed on the way'))
          else outgoing.destroy()
        }
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
