import type { ByteMap } from './environment.ts'

/** What one commit is made of: its writes, its last steps, and what to do in memory once its fate is known. */
export class CommitScope {
  #writes = 0
  readonly #shared = new Map<object, unknown>()
  readonly #atEnd: (() => void)[] = []
  readonly #committed: (() => void)[] = []
  readonly #rolledBack: (() => void)[] = []

  get writes(): number {
    return this.#writes
  }

  put(map: ByteMap, key: Uint8Array, value: Uint8Array): void {
    this.#writes++
    void map.put(key, value)
  }

  remove(map: ByteMap, key: Uint8Array): void {
    this.#writes++
    void map.remove(key)
  }

  /** One value per commit and owner, made on first use: where operations of a commit collect what they share. */
  shared<T>(owner: object, make: () => T): T {
    const found = this.#shared.get(owner) as T | undefined
    if (found !== undefined) return found
    const made = make()
    this.#shared.set(owner, made)
    return made
  }

  /** Runs after the last operation, still inside the transaction. */
  atEnd(action: () => void): void {
    this.#atEnd.push(action)
  }

  /** Runs when the commit is durable, before its promises resolve. Must not throw. */
  onCommitted(action: () => void): void {
    this.#committed.push(action)
  }

  /** Undoes a change in memory when the commit failed. Must not throw. */
  onRolledBack(action: () => void): void {
    this.#rolledBack.push(action)
  }

  runAtEnd(): void {
    for (const action of this.#atEnd) action()
  }

  finishCommitted(): void {
    for (const action of this.#committed) action()
  }

  finishRolledBack(): void {
    for (const action of this.#rolledBack.reverse()) action()
  }
}
