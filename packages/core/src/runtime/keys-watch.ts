import { isEddyError } from '../errors/eddy-error.ts'
import { KeysIgnoredError } from '../errors/stream-errors.ts'
import type { Engine } from '../ports/engine.ts'
import type { StreamInfo } from '../ports/log.ts'
import type { SubscriptionParts } from './subscription-parts.ts'
import type { SubscriptionRunner } from './subscription-runner.ts'

const LOOK_EVERY_MS = 60_000

/**
 * Stops subscriptions that need the order of keys once their stream's service has been told to ignore keys (I3): with
 * Kinesis that takes effect at once, whenever somebody asks for it. They go on after a start or a seek.
 */
export class KeysWatch {
  readonly #subscriptions: readonly Pick<SubscriptionRunner, 'parts' | 'intake'>[]
  readonly #engine: Pick<Engine, 'log' | 'clock'>
  readonly #stopping: AbortSignal

  constructor(
    subscriptions: readonly Pick<SubscriptionRunner, 'parts' | 'intake'>[],
    engine: Pick<Engine, 'log' | 'clock'>,
    stopping: AbortSignal,
  ) {
    this.#subscriptions = subscriptions
    this.#engine = engine
    this.#stopping = stopping
  }

  async run(): Promise<void> {
    const { log, clock } = this.#engine
    if (log.mayIgnoreKeys !== true) return
    while (!this.#stopping.aborted) {
      await clock.sleep(LOOK_EVERY_MS, this.#stopping)
      for (const { parts, intake } of this.#subscriptions) {
        if (this.#stopping.aborted) return
        if (intake === undefined || parts.policy.failure.blocks === 'nothing') continue
        const stream = await this.#describe(parts.definition.stream)
        const error = stream === undefined ? undefined : keysError(parts, stream)
        if (error !== undefined) for (const runner of intake.runners) runner.break(error)
      }
    }
  }

  /** Whoever reads the stream meets the same trouble and tells of it; the next look is in a minute. */
  async #describe(name: string): Promise<StreamInfo | undefined> {
    try {
      return await this.#engine.log.describeStream(name)
    } catch (error) {
      if (isEddyError(error)) return undefined
      throw error
    }
  }
}

/** @throws KeysIgnoredError */
export function requireKeys(
  parts: Pick<SubscriptionParts, 'definition' | 'policy'>,
  stream: StreamInfo,
): void {
  const error = keysError(parts, stream)
  if (error !== undefined) throw error
}

function keysError(
  { definition, policy }: Pick<SubscriptionParts, 'definition' | 'policy'>,
  { name, keysIgnored }: StreamInfo,
): KeysIgnoredError | undefined {
  const { blocks } = policy.failure
  if (keysIgnored !== true || blocks === 'nothing') return undefined
  return new KeysIgnoredError(`subscription "${definition.name}" with blocks: '${blocks}'`, name)
}
