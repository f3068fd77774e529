import type { PortCall } from '../sim/call-trace.ts'

/** What a write is about. */
export type WriteKind = 'hold' | 'ledger' | 'checkpoint' | 'token'

export interface CountedWrite {
  readonly of: WriteKind
  /** The one after so many of its kind, from 1. */
  readonly inWrites: number
  /** `late`: what is under way then arrives long after the next process has begun. `linger`: the process goes on beside it. */
  readonly end: 'die' | 'late' | 'linger'
}

export function isWriteOf(kind: WriteKind, { op, args }: PortCall): boolean {
  if (kind === 'token') return op === 'queue.send'
  return op === 'table.put' && (args[0] as { readonly partition: string }).partition.startsWith(`${kind}/`)
}
