import { putInOrder } from '../ports/put-in-order.ts'
import type { OrderedPut, Table, WriteResult } from '../ports/table.ts'

/** A conditional write that is still to be made. Every step of the hold protocol is one, and may be repeated. */
export interface PlannedWrite<T extends { readonly ok: boolean }> {
  /** All but the last are unconditional. */
  readonly puts: readonly OrderedPut[]
  /** Takes note of the last one's result. Refused, but what was wanted stands there: `ok`. */
  readonly outcome: (result: WriteResult) => T
}

/**
 * Makes writes in order, up to the first that is not `ok`; undefined for those after it. They share a commit where the
 * engine can, and nothing depends on that: after a crash the first few are there, and each is good without the others.
 */
export async function writeInOrder<P extends readonly PlannedWrite<{ readonly ok: boolean }>[]>(
  table: Table,
  ...writes: P
): Promise<{ [I in keyof P]: ReturnType<P[I]['outcome']> | undefined }> {
  const outcomes: ({ readonly ok: boolean } | undefined)[] = []
  while (outcomes.length < writes.length && outcomes.at(-1)?.ok !== false) {
    const left = writes.slice(outcomes.length)
    const results = await putInOrder(
      table,
      left.flatMap((write) => write.puts),
    )
    let used = 0
    for (const { puts, outcome } of left) {
      used += puts.length
      const result = results[used - 1]
      if (result === undefined) break
      outcomes.push(outcome(result))
    }
  }
  return outcomes as { [I in keyof P]: ReturnType<P[I]['outcome']> | undefined }
}

/** One write alone. */
export async function writeOne<T extends { readonly ok: boolean }>(
  table: Table,
  write: PlannedWrite<T>,
): Promise<T> {
  const [outcome] = await writeInOrder(table, write)
  return outcome as T
}
