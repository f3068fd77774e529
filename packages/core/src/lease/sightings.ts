/**
 * When each row's counter was last seen to change, on this process's own monotonic clock: no clocks are compared. Who
 * owns a row may count on it for as long after the beginning of its last write, since nobody sees that earlier.
 */
export class Sightings {
  readonly #seen = new Map<string, { readonly mark: string; readonly atMs: number }>()

  /** One look at all rows. @param nowMs - monotonic, after the answer */
  look(marks: ReadonlyMap<string, string>, nowMs: number): void {
    for (const [name, mark] of marks) {
      if (this.#seen.get(name)?.mark !== mark) this.#seen.set(name, { mark, atMs: nowMs })
    }
    for (const name of this.#seen.keys()) if (!marks.has(name)) this.#seen.delete(name)
  }

  /** Monotonic; undefined for what was not there at the last look. */
  changedAtMs(name: string): number | undefined {
    return this.#seen.get(name)?.atMs
  }
}
