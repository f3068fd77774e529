/** A seeded source of chance (sfc32): the same seed gives the same numbers on every machine. */
export class Prng {
  readonly seed: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string) {
    this.seed = String(seed)
    this.#a = hash32(this.seed, 0x9e3779b9)
    this.#b = hash32(this.seed, 0x243f6a88)
    this.#c = hash32(this.seed, 0xb7e15162)
    for (let i = 0; i < 12; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  /** An integer from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.next() * below)
  }

  /** An integer from `range.minMs` to `range.maxMs`, both included. */
  between(range: { readonly minMs: number; readonly maxMs: number }): number {
    return range.minMs >= range.maxMs ? range.minMs : range.minMs + this.int(range.maxMs - range.minMs + 1)
  }

  /** True at the given rate. Rates of 0 use no chance, so that a switched-off fault changes nothing else. */
  chance(rate: number): boolean {
    return rate > 0 && this.next() < rate
  }

  pick<T>(values: readonly T[]): T {
    if (values.length === 0) throw new RangeError('pick: expected at least one value, received none')
    return values[this.int(values.length)] as T
  }

  /** In a new array. */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(i + 1)
      const moved = shuffled[i] as T
      shuffled[i] = shuffled[j] as T
      shuffled[j] = moved
    }
    return shuffled
  }

  /** Another source that follows from this seed and the label alone, not from what was drawn so far. */
  fork(label: string): Prng {
    return new Prng(`${this.seed}/${label}`)
  }
}

function hash32(text: string, basis: number): number {
  let hash = basis
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x85ebca6b)
    hash ^= hash >>> 13
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return (hash ^ (hash >>> 15)) | 0
}
