import type { StartPosition } from '@eddy/core'
import type { OpaqueTokens } from './opaque-tokens.ts'

const KIND = 'iterator'

/** What an iterator stands for. */
export interface ShardIterator {
  readonly name: string
  /** The stream's own id: one that was created anew under the name has other records. */
  readonly streamId: string
  readonly shardId: string
  readonly from: Exclude<StartPosition, { readonly at: 'latest' }>
  /** Epoch milliseconds. */
  readonly issuedAtMs: number
}

/** Short names: an iterator may have 512 characters, and a stream's name 128 of them. */
interface Content {
  readonly n: string
  readonly i: string
  /** Shard's number. */
  readonly s: number
  /** Kind of position, and its value. */
  readonly p: readonly [Position, (string | number)?]
  readonly t: number
}

type Position = 'h' | 's' | 'a' | 't'

export function sealIterator(tokens: OpaqueTokens, iterator: ShardIterator): string {
  const content: Content = {
    n: iterator.name,
    i: ownPart(iterator.streamId, iterator.name),
    s: Number(iterator.shardId.slice('shardId-'.length)),
    p: positionContent(iterator.from),
    t: iterator.issuedAtMs,
  }
  return tokens.seal(KIND, content)
}

/** Undefined for what `sealIterator` did not make. */
export function openIterator(tokens: OpaqueTokens, text: string): ShardIterator | undefined {
  const content = tokens.open(KIND, text) as Content | undefined
  if (content === undefined) return undefined
  return {
    name: content.n,
    streamId: content.i,
    shardId: `shardId-${String(content.s).padStart(12, '0')}`,
    from: positionOf(content.p),
    issuedAtMs: content.t,
  }
}

export function isOfStream(iterator: ShardIterator, streamId: string): boolean {
  return iterator.streamId === ownPart(streamId, iterator.name)
}

/** Engines put the name in front of what tells two streams of it apart. */
function ownPart(streamId: string, name: string): string {
  return streamId.startsWith(name) ? streamId.slice(name.length) : streamId
}

function positionContent(from: ShardIterator['from']): Content['p'] {
  switch (from.at) {
    case 'trim_horizon':
      return ['h']
    case 'at_sequence_number':
      return ['s', from.sequenceNumber]
    case 'after_sequence_number':
      return ['a', from.sequenceNumber]
    case 'at_timestamp':
      return ['t', from.timestampMs]
  }
}

function positionOf([kind, value]: Content['p']): ShardIterator['from'] {
  switch (kind) {
    case 'h':
      return { at: 'trim_horizon' }
    case 's':
      return { at: 'at_sequence_number', sequenceNumber: String(value) }
    case 'a':
      return { at: 'after_sequence_number', sequenceNumber: String(value) }
    case 't':
      return { at: 'at_timestamp', timestampMs: Number(value) }
  }
}
