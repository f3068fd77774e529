import { InvalidOptionError } from '@eddy/core'
import type { CommitScope } from '../store/commit-scope.ts'
import type { ByteMap } from '../store/environment.ts'
import { readUint32, uint32Key } from '../store/key-bytes.ts'
import { QueueState } from './queue-state.ts'

/** Message numbers are set aside in blocks, so that none is used twice and few commits write the mark. */
const NUMBERS_A_BLOCK = 1_000_000
const MARKS_KEY = uint32Key(0)

interface Marks {
  nextQueueNo: number
  /** Message numbers from here on were never used. */
  unusedFrom: number
}

/** The queues by name, their depths, and the message numbers. */
export class QueueRegistry {
  readonly #map: ByteMap
  readonly #messages: ByteMap
  readonly #byName = new Map<string, QueueState>()
  #marks: Marks = { nextQueueNo: 1, unusedFrom: 1 }
  #nextNo = 1

  constructor(map: ByteMap, messages: ByteMap) {
    this.#map = map
    this.#messages = messages
  }

  load(): void {
    for (const { key, value } of this.#map.getRange({})) {
      const no = readUint32(key, 0)
      const stored = JSON.parse(Buffer.from(value).toString('utf8'))
      if (no === 0) this.#marks = stored as Marks
      else this.#byName.set(stored.name, new QueueState(no, stored.name, stored.depth, this.#messages))
    }
    this.#nextNo = this.#marks.unusedFrom
  }

  get(name: string): QueueState | undefined {
    return this.#byName.get(name)
  }

  all(): IterableIterator<QueueState> {
    return this.#byName.values()
  }

  /** Inside a commit: the queue, made when it is new; the commit will carry its depth. */
  join(scope: CommitScope, name: string): QueueState {
    const queue = this.#byName.get(name) ?? this.#create(scope, name)
    scope.shared(queue, () => {
      const before = queue.depth
      scope.atEnd(() => {
        const stored = { name, depth: queue.depth }
        scope.put(this.#map, uint32Key(queue.no), Buffer.from(JSON.stringify(stored)))
      })
      scope.onRolledBack(() => {
        queue.depth = before
      })
      return true
    })
    return queue
  }

  /** Inside a commit: a number that no message had before, also before a restart. */
  nextMessageNo(scope: CommitScope): number {
    if (this.#nextNo >= this.#marks.unusedFrom) {
      this.#setMarks(scope, { ...this.#marks, unusedFrom: this.#nextNo + NUMBERS_A_BLOCK })
    }
    return this.#nextNo++
  }

  #create(scope: CommitScope, name: string): QueueState {
    const queue = new QueueState(this.#marks.nextQueueNo, name, 0, this.#messages)
    this.#setMarks(scope, { ...this.#marks, nextQueueNo: queue.no + 1 })
    this.#byName.set(name, queue)
    scope.onRolledBack(() => this.#byName.delete(name))
    return queue
  }

  #setMarks(scope: CommitScope, marks: Marks): void {
    const before = this.#marks
    this.#marks = marks
    scope.onRolledBack(() => {
      this.#marks = before
    })
    scope.put(this.#map, MARKS_KEY, Buffer.from(JSON.stringify(marks)))
  }
}

/** @throws InvalidOptionError */
export function checkQueueName(name: string): void {
  if (typeof name !== 'string' || name.length < 1 || name.length > 512) {
    throw new InvalidOptionError('queue', 'a name of 1 to 512 characters', name)
  }
}
