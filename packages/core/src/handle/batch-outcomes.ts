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
  const places = new Map(ids.map((id, place) => [id, place]))
  const verdicts: (Verdict | undefined)[] = ids.map(() => undefined)
  let known = 0
  for (const [index, entry] of answer.entries()) {
    const { id, ok, error } = checkOutcome(index, entry)
    const place = places.get(id)
    if (place === undefined) {
      throw new BatchResultError(
        `no item of the batch has the id ${describe(id)} of the outcome at index ${index}`,
      )
    }
    const before = verdicts[place]
    if (before !== undefined && before.ok !== ok) {
      throw new BatchResultError(
        `one outcome says that the item ${describe(id)} succeeded, and another that it failed`,
      )
    }
    if (before !== undefined) continue
    known += 1
    verdicts[place] = ok ? OK : { ok: false, error }
  }
  if (known === ids.length) return verdicts as Verdict[]
  const omitted: Verdict = { ok: false, error: new BatchItemOmittedError(ids.length - known, ids.length) }
  return verdicts.map((verdict) => verdict ?? omitted)
}

function checkOutcome(
  index: number,
  entry: unknown,
): { readonly id: string; readonly ok: boolean; readonly error: unknown } {
  const { id, ok, error } = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<
    string,
    unknown
  >
  if (typeof id === 'string' && typeof ok === 'boolean') return { id, ok, error }
  throw new BatchResultError(
    `what stands at index ${index} is not { id, ok: true } or { id, ok: false, error }, but ${describe(entry)}`,
  )
}
