import { createInterface } from 'node:readline/promises'
import type { CommandContext } from './command-context.ts'
import { InterruptedError, UsageError } from './command-errors.ts'

/**
 * Asks before something changes for good. `--yes` answers; where nobody can answer, the command refuses rather than
 * guesses.
 *
 * @returns false: the person said no
 * @throws UsageError no terminal and no `--yes`; InterruptedError on Ctrl-C
 */
export async function confirm(
  context: CommandContext,
  question: string,
  { yes, alternatives = '--yes or --dry-run' }: { yes: boolean | undefined; alternatives?: string },
): Promise<boolean> {
  if (yes === true) return true
  if (!context.interactive) {
    throw new UsageError(
      `${question} There is no terminal to ask on: repeat the command with ${alternatives}.`,
    )
  }
  const { stdin, stderr, signal } = context.io
  const lines = createInterface({ input: stdin, output: stderr })
  const interrupt = new AbortController()
  const stop = () => interrupt.abort()
  let isInterrupted = false
  // On a terminal readline takes Ctrl-C itself: no signal comes.
  lines.once('SIGINT', () => {
    isInterrupted = true
    stop()
  })
  lines.once('close', stop)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: interrupt.signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    signal.throwIfAborted()
    if (isInterrupted) throw new InterruptedError()
    if (interrupt.signal.aborted) return false
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    lines.close()
  }
}
