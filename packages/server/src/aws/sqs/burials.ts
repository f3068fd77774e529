import type { LiveQueue } from './live-queue.ts'
import type { Message } from './state/message.ts'
import type { Changes, Journal } from './store/journal.ts'
import { contentKey, messageKey } from './store/table-keys.ts'

const AT_A_TIME = 200

/**
 * Takes messages out of the table that are in no queue any more because they expired: so many at a time, since a whole
 * queue may expire at once (I6). What a process leaves behind expires in the next one.
 */
export class Burials {
  readonly #journal: Journal
  #waiting: { readonly queue: LiveQueue; readonly messages: readonly Message[] }[] = []
  #isBusy = false

  constructor(journal: Journal) {
    this.#journal = journal
  }

  add(queue: LiveQueue, messages: readonly Message[]): void {
    for (let at = 0; at < messages.length; at += AT_A_TIME) {
      this.#waiting.push({ queue, messages: messages.slice(at, at + AT_A_TIME) })
    }
    if (!this.#isBusy && this.#waiting.length > 0) void this.#run()
  }

  /** Ends with the journal: then nobody needs it any more. */
  async #run(): Promise<void> {
    this.#isBusy = true
    try {
      while (this.#waiting.length > 0) {
        const some = this.#waiting
        this.#waiting = []
        for (const { queue, messages } of some) await this.#journal.commit(removal(queue, messages))
      }
    } catch {
      this.#waiting = []
    }
    this.#isBusy = false
  }
}

/** What takes messages out of the table: the content first, so that none is left behind without its message. */
export function removal(queue: LiveQueue, messages: readonly Message[]): Changes {
  return {
    deletes: messages.map(({ content }) => contentKey(content)),
    finally: messages.map(({ sequence }) => messageKey(queue.id, sequence)),
  }
}
