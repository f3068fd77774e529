import { InvalidOptionError } from '../errors/request-errors.ts'

/** What one look at a source gives. `waiting`: nothing yet, and what was waited for beside it came first. */
export type Pulled<Item> =
  | { readonly kind: 'item'; readonly item: Item }
  | { readonly kind: 'end' }
  | { readonly kind: 'waiting' }

/** A source of items that is read one at a time, and whose rest can be handed on at any time. */
export class ItemSource<Item> {
  readonly #iterator: Iterator<Item> | AsyncIterator<Item>
  readonly #isAsync: boolean
  /** An item that was asked for and has not come. */
  #asked: Promise<IteratorResult<Item>> | undefined
  #interrupt: (() => void) | undefined
  #isOver = false

  /** @throws InvalidOptionError it cannot be iterated, or is a text: its letters are no items */
  constructor(source: Iterable<Item> | AsyncIterable<Item>) {
    if (!isIterable(source))
      throw new InvalidOptionError(
        'source',
        'an array, or what else for … of or for await … of takes',
        source,
      )
    this.#isAsync = Symbol.asyncIterator in source
    this.#iterator =
      Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  }

  /** The next item; a promise only when the source makes one. @throws what the source throws; then it is over */
  next(): Pulled<Item> | Promise<Pulled<Item>> {
    if (this.#isOver) return { kind: 'end' }
    try {
      const result = this.#iterator.next()
      return this.#isAsync ? this.#wait(Promise.resolve(result)) : this.#take(result as IteratorResult<Item>)
    } catch (error) {
      this.#isOver = true
      throw error
    }
  }

  /** An item that is waited for is waited for no more: should it come, it is the rest's first. */
  interrupt(): void {
    this.#interrupt?.()
  }

  async #wait(asked: Promise<IteratorResult<Item>>): Promise<Pulled<Item>> {
    this.#asked = asked
    try {
      // Not a race with one lasting promise, which would remember every item.
      const result = await new Promise<IteratorResult<Item> | undefined>((resolve, reject) => {
        this.#interrupt = () => resolve(undefined)
        asked.then(resolve, reject)
      })
      if (result === undefined) return { kind: 'waiting' }
      this.#asked = undefined
      return this.#take(result)
    } catch (error) {
      this.#asked = undefined
      this.#isOver = true
      throw error
    } finally {
      this.#interrupt = undefined
    }
  }

  #take(result: IteratorResult<Item>): Pulled<Item> {
    if (result.done !== true) return { kind: 'item', item: result.value }
    this.#isOver = true
    return { kind: 'end' }
  }

  /** What was taken and not used, then the rest of the source, which is closed when this is left early. */
  async *rest(unused: readonly Item[]): AsyncGenerator<Item, void, undefined> {
    try {
      yield* unused
      while (!this.#isOver) {
        const result = await (this.#asked ?? this.#iterator.next())
        this.#asked = undefined
        const pulled = this.#take(result)
        if (pulled.kind === 'item') yield pulled.item
      }
    } catch (error) {
      this.#isOver = true
      throw error
    } finally {
      if (!this.#isOver) await this.#iterator.return?.()
    }
  }
}

function isIterable(source: unknown): boolean {
  return (
    typeof source === 'object' &&
    source !== null &&
    (Symbol.asyncIterator in source || Symbol.iterator in source)
  )
}
