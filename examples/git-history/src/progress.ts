/** Live progress: one line that is written over on a terminal, a plain line every few seconds elsewhere. */
export class Progress {
  readonly #out: NodeJS.WriteStream
  readonly #render: () => string
  readonly #timer: NodeJS.Timeout
  #last = ''

  constructor(out: NodeJS.WriteStream, render: () => string) {
    this.#out = out
    this.#render = render
    this.#timer = setInterval(() => this.#show(), out.isTTY ? 100 : 2_000)
  }

  /** Shows the last state and stops. */
  end(): void {
    clearInterval(this.#timer)
    this.#show()
    if (this.#out.isTTY) this.#out.write('\n')
  }

  #show(): void {
    const line = this.#render()
    if (line === this.#last) return
    this.#last = line
    this.#out.write(
      this.#out.isTTY ? `\r\u001b[K${line.slice(0, (this.#out.columns ?? 80) - 1)}` : `${line}\n`,
    )
  }
}
