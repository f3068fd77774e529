import type { BatchContext } from '../model/batch.ts'
import type { AttemptPath } from '../model/ledger-item.ts'
import type { Context } from './context.ts'
import type { Abortable } from './running-call.ts'

/** What a call of a batch handler is told beside its items. */
export class BatchCallContext implements BatchContext, Abortable {
  readonly subscription: string
  readonly stream: string
  readonly path: AttemptPath
  readonly #contexts: readonly Context[]
  #aborter: AbortController | undefined
  #abortReason: Error | undefined

  /** @param contexts - of the items: they abort with the batch */
  constructor(subscription: string, stream: string, path: AttemptPath, contexts: readonly Context[]) {
    this.subscription = subscription
    this.stream = stream
    this.path = path
    this.#contexts = contexts
  }

  get signal(): AbortSignal {
    this.#aborter ??= new AbortController()
    if (this.#abortReason !== undefined) this.#aborter.abort(this.#abortReason)
    return this.#aborter.signal
  }

  abort(reason: Error): void {
    this.#abortReason = reason
    this.#aborter?.abort(reason)
    for (const context of this.#contexts) context.abort(reason)
  }
}
