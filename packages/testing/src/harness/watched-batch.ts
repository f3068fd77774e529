import { type BatchHandler, type BatchItem, type Blocks, failed, type ItemOutcome } from '@eddy/core'
import type { CallOutcome } from './handler-calls.ts'
import { endWhenAborted, type Instruments, isThenable } from './instruments.ts'
import { errorOf, type FailOptions } from './interferences.ts'

interface Watched {
  readonly item: BatchItem
  readonly fail: FailOptions | undefined
  readonly end: (outcome: CallOutcome, error?: unknown) => void
}

/** A batch handler, watched and interfered with event by event: what is made to fail fails, and the rest is handled. */
export function watchedBatch(handle: BatchHandler, blocks: Blocks, instruments: Instruments): BatchHandler {
  const { calls, interferences, clock, life } = instruments
  return (items, ctx) => {
    const batch = calls.nextBatch(ctx.subscription)
    let delayMs = 0
    const watched = items.map((item): Watched => {
      const end = calls.begin(item.event, item.ctx, life, batch)
      endWhenAborted(item.ctx, end)
      const interfered = interferences.next(item.event, item.ctx)
      delayMs = Math.max(delayMs, interfered.delayMs)
      return { item, fail: interfered.fail, end }
    })
    const run = (): ReturnType<BatchHandler> => {
      const left = watched.filter(({ fail }) => fail === undefined || fail.when === 'after')
      return left.length === 0
        ? []
        : handle(
            left.map(({ item }) => item),
            ctx,
          )
    }
    const answered = (answer: readonly ItemOutcome[]): readonly ItemOutcome[] => {
      const outcomes = withFailures(answer, watched)
      endEach(watched, outcomes, blocks)
      return outcomes
    }
    const threw = (error: unknown): never => {
      for (const { end } of watched) end('failed', error)
      throw error
    }
    try {
      const answer = delayMs > 0 ? clock.sleep(delayMs).then(run) : run()
      return isThenable(answer)
        ? (Promise.resolve(answer).then(answered, threw) as Promise<readonly ItemOutcome[]>)
        : answered(answer)
    } catch (error) {
      return threw(error)
    }
  }
}

/** What the application says, but for the items that are made to fail. An answer of the wrong shape stays what it is. */
function withFailures(answer: readonly ItemOutcome[], watched: readonly Watched[]): readonly ItemOutcome[] {
  if (!Array.isArray(answer)) return answer
  const made = new Map(
    watched.flatMap(({ item, fail }) => (fail === undefined ? [] : [[item.id, failed(item, errorOf(fail))]])),
  )
  const said = (answer as readonly ItemOutcome[]).filter((outcome) => !made.has(outcome?.id))
  return [...said, ...made.values()]
}

/** As the runtime will read it: an item left out has failed, and nothing counts behind a failure that blocks. */
function endEach(watched: readonly Watched[], answer: readonly ItemOutcome[], blocks: Blocks): void {
  const outcomes = new Map(Array.isArray(answer) ? answer.map((outcome) => [outcome?.id, outcome]) : [])
  const failedLanes = new Set<string>()
  for (const { item, end } of watched) {
    const { shardId, key } = item.ctx
    const lane = blocks === 'key' ? `${shardId}\n${key}` : shardId
    const outcome = outcomes.get(item.id)
    if (failedLanes.has(lane)) end('not-counted')
    else if (outcome?.ok === true) end('ok')
    else {
      if (blocks !== 'nothing') failedLanes.add(lane)
      end('failed', outcome === undefined ? undefined : outcome.error)
    }
  }
}
