import type { TokenFate } from '../fail/token-use.ts'
import { parseToken } from '../fail/tokens.ts'
import type { Delivery } from '../ports/queue.ts'
import { Fenced } from '../runtime/fenced.ts'
import { Stopped } from '../runtime/stop-signal.ts'
import type { Invocation } from './invocation.ts'

/** A longer wait is better off in a new message: one that is in flight uses up its time and its deliveries. */
const MAX_HIDDEN_MS = 900_000
/** From this delivery on a token that is to wait is sent anew: a queue gives a message up that was received too often. */
const MAX_DELIVERIES = 3
/** While a person has paused the subscription. */
const PAUSED_MS = 30_000

/**
 * Retry tokens that a function was invoked with: the ledger says what each is good for.
 *
 * @returns those that are to come again, as far as they are not acknowledged: each after the time it was given, or once
 * its visibility timeout is over
 */
export async function useTokens(
  invocation: Invocation,
  deliveries: readonly Delivery[],
): Promise<readonly Delivery[]> {
  const comesAgain = await Promise.all(
    deliveries.map((delivery) =>
      useOne(invocation, delivery).catch((error: unknown) => {
        const { logger, definition } = invocation.parts
        const about = { subscription: definition.name, messageId: delivery.messageId, reason: String(error) }
        logger.warn(about, 'a retry was interrupted and comes again')
        return true
      }),
    ),
  )
  return deliveries.filter((_delivery, index) => comesAgain[index])
}

async function useOne(invocation: Invocation, delivery: Delivery): Promise<boolean> {
  const { parts } = invocation
  const fate = parts.pause.isPaused ? { delayMs: PAUSED_MS } : await fateOf(invocation, delivery)
  if (fate === 'done') return false
  if (fate === 'repeated') return true
  const delayMs = fate === 'leave' ? 0 : fate.delayMs
  const isAnew = delayMs > MAX_HIDDEN_MS || (delayMs > 0 && delivery.receiveCount >= MAX_DELIVERIES)
  const token = isAnew ? parseToken(delivery.body) : undefined
  if (token === undefined) {
    await parts.engine.queue.delay(parts.tokens.queueName, delivery.receipt, delayMs)
    return true
  }
  // The old one goes only once the new one is there.
  await parts.tokens.send(token, parts.engine.clock.now() + delayMs)
  return false
}

/** What still waits when the invocation closes (for a rate, or for storage) is given back. */
async function fateOf(invocation: Invocation, delivery: Delivery): Promise<TokenFate> {
  const { tokenUse, parts, deadlineMs, closesAtMs } = invocation
  const { clock } = parts.engine
  const over = new AbortController()
  const using = tokenUse.use(delivery, deadlineMs).catch((error: unknown): TokenFate => {
    if (error instanceof Stopped || error instanceof Fenced) return 'leave'
    throw error
  })
  const closing = clock
    .sleep(Math.max(0, closesAtMs - clock.monotonicMs()), over.signal)
    .then((): TokenFate => 'leave')
  try {
    return await Promise.race([using, closing])
  } finally {
    over.abort()
    // Late, it is nobody's.
    using.catch(() => {})
  }
}
