import type { Clock } from '../ports/clock.ts'
import { LaneClaims } from './lane-claims.ts'
import { Marker } from './marker.ts'
import type { Ordering } from './produce-options.ts'
import type { ProducerLog } from './producer-log.ts'
import { StreamPlan } from './stream-plan.ts'
import { StreamWriter, type WriterOptions } from './stream-writer.ts'
import { randomUuid } from './uuid.ts'

/** Streams that are remembered (I6); beyond it those go of which nothing is under way. */
const MAX_STREAMS = 1_000

export interface WritersParts {
  readonly log: ProducerLog
  readonly clock: Clock
  readonly md5Hex: (text: string) => string
  readonly options: WriterOptions
}

interface KnownStream {
  readonly plan: StreamPlan
  readonly marker: Marker
  readonly writers: Map<Ordering, { readonly writer: StreamWriter; readonly claims: LaneClaims }>
}

/** What one producer has of each stream: a plan, and a writer for each ordering that was asked for. */
export class StreamWriters {
  readonly #parts: WritersParts
  readonly #streams = new Map<string, KnownStream>()

  constructor(parts: WritersParts) {
    this.#parts = parts
  }

  of(
    stream: string,
    ordering: Ordering,
  ): { readonly writer: StreamWriter; readonly plan: StreamPlan; readonly claims: LaneClaims } {
    const known = this.#streams.get(stream) ?? this.#open(stream)
    let way = known.writers.get(ordering)
    if (way === undefined) {
      const { log, clock, options } = this.#parts
      const { plan, marker } = known
      const writer = new StreamWriter({ log, clock, plan, marker, ordering, options })
      way = { writer, claims: new LaneClaims() }
      known.writers.set(ordering, way)
    }
    return { ...way, plan: known.plan }
  }

  #open(stream: string): KnownStream {
    if (this.#streams.size >= MAX_STREAMS) this.#forgetIdle()
    const { log, clock, md5Hex } = this.#parts
    const plan = new StreamPlan({ log, clock, stream, md5Hex })
    const known = { plan, marker: new Marker(randomUuid(clock), md5Hex), writers: new Map() }
    this.#streams.set(stream, known)
    return known
  }

  #forgetIdle(): void {
    for (const [stream, { writers }] of this.#streams) {
      if ([...writers.values()].every(({ writer, claims }) => writer.isIdle && claims.isEmpty))
        this.#streams.delete(stream)
    }
  }
}
