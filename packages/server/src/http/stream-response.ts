import type { Call } from '../route.ts'

/**
 * A streamed answer whose access line is written when the stream ends. `HEAD` gets the headers alone: nothing would
 * ever read or cancel the stream.
 */
export function streamResponse(
  call: Call,
  contentType: string,
  open: () => ReadableStream<Uint8Array>,
): Response {
  const headers = { 'content-type': contentType }
  if (call.context.req.raw.method === 'HEAD') return new Response(null, { headers })
  const source = open()
  call.context.set('streaming', true)
  return new Response(counted(source, call.context.get('logAccess')), { headers })
}

function counted(
  source: ReadableStream<Uint8Array>,
  onEnd: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let bytes = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) {
            controller.close()
            onEnd(bytes)
            return
          }
          bytes += value.byteLength
          controller.enqueue(value)
        } catch (error) {
          controller.error(error)
          onEnd(bytes)
        }
      },
      async cancel(reason) {
        onEnd(bytes)
        await reader.cancel(reason)
      },
    },
    // Nothing is read ahead: back-pressure belongs to the source.
    { highWaterMark: 0 },
  )
}
