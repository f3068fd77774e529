import { linkedSignal } from '../http/linked-signal.ts'

export interface StreamedEvent {
  readonly type: string
  readonly data: unknown
}

export interface EventStreamOptions {
  readonly heartbeatMs: number
  readonly maxStalledHeartbeats: number
  readonly stopping: AbortSignal
  /** The source threw. */
  readonly onError: (error: unknown) => void
  /** Called once, however the stream ended. */
  readonly onEnd: () => void
  /** The client reads nothing any more: its socket must go. */
  readonly onStalled: () => void
}

const encoder = new TextEncoder()

/**
 * Events as `text/event-stream`. The source is asked for the next event only when the client has room for it; a
 * comment every `heartbeatMs` keeps proxies from closing a quiet stream. Ends with its source, with the client, when
 * the server stops, and when the client leaves `maxStalledHeartbeats` in a row unread. In each case the source's
 * signal aborts.
 */
export function eventStream(
  source: (signal: AbortSignal) => AsyncIterable<StreamedEvent>,
  options: EventStreamOptions,
): ReadableStream<Uint8Array> {
  const cancelled = new AbortController()
  const linked = linkedSignal([cancelled.signal, options.stopping])
  const events = source(linked.signal)[Symbol.asyncIterator]()
  let lastId = 0
  let stalledHeartbeats = 0
  let ended = false
  let timer: NodeJS.Timeout | undefined

  function end(): void {
    if (ended) return
    ended = true
    clearInterval(timer)
    options.stopping.removeEventListener('abort', closeNow)
    cancelled.abort()
    linked.release()
    events.return?.().catch(() => undefined)
    options.onEnd()
  }
  let closeNow = end

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        closeNow = () => {
          if (!ended) controller.close()
          end()
        }
        options.stopping.addEventListener('abort', closeNow, { once: true })
        controller.enqueue(encoder.encode('retry: 2000\n\n'))
        timer = setInterval(() => {
          const hasRoom = (controller.desiredSize ?? 0) > 0
          stalledHeartbeats = hasRoom ? 0 : stalledHeartbeats + 1
          if (hasRoom) controller.enqueue(encoder.encode(': heartbeat\n\n'))
          if (stalledHeartbeats < options.maxStalledHeartbeats) return
          closeNow()
          options.onStalled()
        }, options.heartbeatMs)
      },
      async pull(controller) {
        try {
          const next = await events.next()
          if (ended) return
          if (next.done === true) return closeNow()
          lastId += 1
          controller.enqueue(encoder.encode(frame(lastId, next.value)))
        } catch (error) {
          if (ended) return
          options.onError(error)
          closeNow()
        }
      },
      cancel: end,
    },
    { highWaterMark: 2 },
  )
}

/** JSON holds no line break, so one `data` line is enough. */
function frame(id: number, event: StreamedEvent): string {
  return `id: ${id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`
}
