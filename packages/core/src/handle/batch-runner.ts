import type { SubscriptionDefinition } from '../model/app.ts'
import type { BatchDefinition } from '../model/batch.ts'
import type { Clock } from '../ports/clock.ts'
import { GIVEN_BACK } from './attempt-result.ts'
import { BatchCall, type BatchEntry, type BatchResult } from './batch-call.ts'
import { readOutcomes, type Verdict } from './batch-outcomes.ts'
import type { AttemptMeta, ContextServices } from './context.ts'
import { isThenable } from './invoke.ts'
import type { RunningCalls } from './running-calls.ts'

/** Calls a handler of batches. An event that is none, or does not match the schema, fails by itself. */
export class BatchRunner {
  readonly #definition: SubscriptionDefinition
  readonly #batch: BatchDefinition
  readonly #clock: Clock
  readonly #services: ContextServices
  readonly #calls: RunningCalls
  readonly #onBatch: (events: number) => void

  /** @param onBatch - called with the number of events that each call of the handler gets */
  constructor(
    definition: SubscriptionDefinition,
    batch: BatchDefinition,
    clock: Clock,
    services: ContextServices,
    calls: RunningCalls,
    onBatch: (events: number) => void,
  ) {
    this.#definition = definition
    this.#batch = batch
    this.#clock = clock
    this.#services = services
    this.#calls = calls
    this.#onBatch = onBatch
  }

  /** Never rejects. @param entries - one at least */
  async run(
    entries: readonly BatchEntry[],
    attempt: AttemptMeta,
    isOrdered: boolean,
    timeoutMs: number,
  ): Promise<readonly BatchResult[]> {
    if (this.#calls.isStopped) return entries.map(() => GIVEN_BACK)
    const call = new BatchCall(entries, attempt, this.#definition, this.#clock, this.#services)
    const { stats } = this.#calls
    stats.running += 1
    try {
      let verdicts: readonly Verdict[] = []
      const answer = this.#invoke(call)
      if (isThenable(answer)) {
        const read = answer.then((answered) => {
          verdicts = answered
        })
        if (await this.#calls.follow(call.context, read, timeoutMs)) {
          call.givenBack()
          return await call.end(false)
        }
      } else verdicts = answer
      call.judged(verdicts)
    } catch (thrown) {
      call.threw(thrown)
    } finally {
      stats.running -= 1
    }
    return await call.end(isOrdered)
  }

  /** The schema is part of the call: one that waits is bounded and counted like the handler itself. */
  #invoke(call: BatchCall): readonly Verdict[] | Promise<readonly Verdict[]> {
    const checking = call.check()
    return checking === undefined ? this.#handle(call) : checking.then(() => this.#handle(call))
  }

  #handle(call: BatchCall): readonly Verdict[] | Promise<readonly Verdict[]> {
    const items = call.items()
    if (items.length === 0) return []
    this.#onBatch(items.length)
    const ids = items.map(({ id }) => id)
    const answer: unknown = this.#batch.handle(items, call.context)
    // A thenable of somebody else's may settle twice: a promise of it counts the first.
    return isThenable(answer)
      ? Promise.resolve(answer).then((outcomes) => readOutcomes(ids, outcomes))
      : readOutcomes(ids, answer)
  }
}
