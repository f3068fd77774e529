import { pathToFileURL } from 'node:url'
import { callHandler, type LambdaHandler } from './call-handler.ts'
import type { SandboxAnswer, SandboxCall } from './sandbox-messages.ts'

/**
 * The process of one sandbox: `node sandbox-main.js FILE EXPORT`, with a channel to whoever started it. Loads the function's
 * module once, then handles one event after another.
 */
const [file = '', name = ''] = process.argv.slice(2)
const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>
const handler = module[name]
if (typeof handler !== 'function') throw new TypeError(`${file} exports no function ${name}`)

process.on('message', (call: SandboxCall) => {
  const { event, leftMs, ...facts } = call
  const deadlineMs = performance.now() + leftMs
  const getRemainingTimeInMillis = () => Math.max(0, Math.round(deadlineMs - performance.now()))
  callHandler(handler as LambdaHandler, event, { ...facts, getRemainingTimeInMillis }).then(
    (payload) => answer({ payload: payload ?? null }),
    (error: unknown) =>
      answer({
        errorType: error instanceof Error ? error.name : typeof error,
        errorMessage: error instanceof Error ? error.message : String(error),
      }),
  )
})
// Whoever started it is gone: nobody will ever invoke it again.
process.once('disconnect', () => process.exit())
answer({ isReady: true })

function answer(said: SandboxAnswer): void {
  process.send?.(said, undefined, undefined, () => {})
}
