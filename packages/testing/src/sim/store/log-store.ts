import { StreamExistsError, type StreamInfo, StreamNotFoundError, type StreamSpec } from '@eddy/core'
import { StreamStore } from './stream-store.ts'

/** What the simulated log holds. */
export class LogStore {
  readonly #streams = new Map<string, StreamStore>()
  #created = 0

  create(spec: StreamSpec, nowMs: number): StreamInfo {
    if (this.#streams.has(spec.name)) throw new StreamExistsError(spec.name)
    this.#created += 1
    const stream = new StreamStore(spec, `stream-${this.#created}`, nowMs)
    this.#streams.set(spec.name, stream)
    return stream.info
  }

  delete(name: string): void {
    this.stream(name)
    this.#streams.delete(name)
  }

  list(): StreamInfo[] {
    return [...this.#streams.values()].map((stream) => stream.info).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  find(name: string): StreamStore | undefined {
    return this.#streams.get(name)
  }

  stream(name: string): StreamStore {
    const stream = this.#streams.get(name)
    if (stream === undefined) throw new StreamNotFoundError(name)
    return stream
  }
}
