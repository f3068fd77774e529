import { describe } from '../errors/describe.ts'
import { BatchItemOmittedError, BatchResultError } from '../errors/handler-errors.ts'

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly error: unknown }

const OK: Verdict = { ok: true }

/**
 * What a handler says of each item of its batch. An item that it leaves out has failed.
 *
 * @param ids - of the items, in their order
 * @returns a verdict for each id, in the same order
 * @throws BatchResultError when the answer says nothing that can be relied on: no array, an entry that is no outcome, an
 * id that is not in the batch, an item that went well and failed
 */
export function readOutcomes(ids: readonly string[], answer: unknown): readonly Verdict[] {
  if (!Array.isArray(answer)) throw new BatchResultError(`it returned ${describe(answer)}`)
  const verdicts: (Verdict | undefined)[] = new Array(ids.length).fill(undefined)
  let places: Map<string, number> | undefined
  let known = 0
  for (let index = 0; index < answer.length; index += 1) {
    const { id, ok, error } = checkOutcome(index, answer[index])
    // Most handlers answer in the order of their items.
    if (ids[index] !== id) places ??= new Map(ids.map((itemId, place) => [itemId, place]))
    const place = ids[index] === id ? index : places?.get(id)
    if (place === undefined)
      throw new BatchResultError(
        `no item of the batch has the id ${describe(id)} of the outcome at index ${index}`,
      )
    const before = verdicts[place]
    if (before !== undefined && before.ok !== ok)
      throw new BatchResultError(
        `one outcome says that the item ${describe(id)} succeeded, and another that it failed`,
      )
    if (before !== undefined) continue
    known += 1
    verdicts[place] = ok ? OK : { ok: false, error }
  }
  if (known === ids.length) return verdicts as Verdict[]
  const omitted: Verdict = { ok: false, error: new BatchItemOmittedError(ids.length - known, ids.length) }
  return verdicts.map((verdict) => verdict ?? omitted)
}

interface Said {
  readonly id: string
  readonly ok: boolean
  readonly error?: unknown
}

function checkOutcome(index: number, entry: unknown): Said {
  if (typeof entry === 'object' && entry !== null) {
    const { id, ok } = entry as { id?: unknown; ok?: unknown }
    if (typeof id === 'string' && typeof ok === 'boolean') return entry as Said
  }
  throw new BatchResultError(
    `what stands at index ${index} is not { id, ok: true } or { id, ok: false, error }, but ${describe(entry)}`,
  )
}
