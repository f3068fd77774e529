/** Frames of a `text/event-stream`, one at a time; undefined at its end. */
export function sseReader(body: ReadableStream<Uint8Array>): {
  next(): Promise<string | undefined>
  cancel(): Promise<void>
} {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let buffered = ''
  return {
    async next() {
      for (;;) {
        const end = buffered.indexOf('\n\n')
        if (end !== -1) {
          const frame = buffered.slice(0, end)
          buffered = buffered.slice(end + 2)
          return frame
        }
        const { done, value } = await reader.read()
        if (done) return undefined
        buffered += decoder.decode(value, { stream: true })
      }
    },
    cancel: () => reader.cancel(),
  }
}
