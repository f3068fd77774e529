/** Up to which line every line is settled, while lines are settled out of order. As many are kept as are not settled. */
export class SettledLines {
  /** Numbers of lines in order; negative once the line is settled. Those before `#head` are done with. */
  #numbers: number[] = []
  #head = 0
  /** Order of the first one in `#numbers`. */
  #from = 0
  #line: number

  /** @param line - the last line that an earlier run settled; 0 before the first */
  constructor(line: number) {
    this.#line = line
  }

  /** The next line in order has been read. */
  add(number: number): void {
    this.#numbers.push(number)
  }

  /** @param order - 0 for the first line that was added */
  settle(order: number): void {
    const at = order - this.#from
    this.#numbers[at] = -Math.abs(this.#numbers[at] as number)
    for (let next = this.#numbers[this.#head]; next !== undefined && next < 0; ) {
      this.#line = -next
      this.#head += 1
      next = this.#numbers[this.#head]
    }
    // Moved seldom enough that each line is moved about once.
    if (this.#head < 1_024 || this.#head * 2 < this.#numbers.length) return
    this.#numbers = this.#numbers.slice(this.#head)
    this.#from += this.#head
    this.#head = 0
  }

  /** The last line up to which every line is settled. */
  get line(): number {
    return this.#line
  }
}
