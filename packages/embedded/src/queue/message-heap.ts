import { compareMessages, type StoredMessage } from './message-codec.ts'

/** A binary heap of messages, earliest due first. */
export class MessageHeap {
  #items: StoredMessage[] = []

  get size(): number {
    return this.#items.length
  }

  peek(): StoredMessage | undefined {
    return this.#items[0]
  }

  push(message: StoredMessage): void {
    const items = this.#items
    let at = items.length
    items.push(message)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (compareMessages(items[parent] as StoredMessage, message) <= 0) break
      items[at] = items[parent] as StoredMessage
      at = parent
    }
    items[at] = message
  }

  pop(): StoredMessage | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= items.length) break
      const right = child + 1
      if (
        right < items.length &&
        compareMessages(items[right] as StoredMessage, items[child] as StoredMessage) < 0
      ) {
        child = right
      }
      if (compareMessages(items[child] as StoredMessage, last) >= 0) break
      items[at] = items[child] as StoredMessage
      at = child
    }
    items[at] = last
    return top
  }

  clear(): void {
    this.#items = []
  }
}
