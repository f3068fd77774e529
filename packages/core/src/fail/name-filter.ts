const BITS = 2 ** 24
const BITS_A_WORD = 32

/**
 * Says of a name that it was never added, or that it may have been: a Bloom filter of 2 MiB, whatever the number of
 * names (I6). Of the names that were not added it takes one in a hundred for added once there are a million, and none
 * to speak of below a hundred thousand.
 */
export class NameFilter {
  readonly #words: Uint32Array = new Uint32Array(BITS / BITS_A_WORD)

  add(name: string): void {
    for (const bit of bitsOf(name)) {
      const word = Math.floor(bit / BITS_A_WORD)
      this.#words[word] = (this.#words[word] as number) | (1 << (bit % BITS_A_WORD))
    }
  }

  mayHave(name: string): boolean {
    return bitsOf(name).every(
      (bit) => ((this.#words[Math.floor(bit / BITS_A_WORD)] as number) & (1 << (bit % BITS_A_WORD))) !== 0,
    )
  }
}

/** Two places, from two FNV-1a hashes that begin apart. */
function bitsOf(name: string): readonly number[] {
  let first = 0x811c9dc5
  let second = 0x01000193
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at)
    first = Math.imul(first ^ code, 0x01000193)
    second = Math.imul(second ^ code, 0x85ebca6b)
  }
  return [mixed(first) % BITS, mixed(second) % BITS]
}

/** FNV's low bits know little of the last characters. */
function mixed(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return (once ^ (once >>> 15)) >>> 0
}
