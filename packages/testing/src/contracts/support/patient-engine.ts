import {
  type AppendEntry,
  type AppendResult,
  type Engine,
  isEddyError,
  type Log,
  type Queue,
  type QueueMessage,
  type SendResult,
  StorageError,
  type Table,
} from '@eddy/core'
import { sameValue } from './same-value.ts'

const MAX_TRIES = 100

/** A faulty engine with the resending that its callers owe it: what is left of its faults is repeats and order. */
export function patientEngine(engine: Engine): Engine {
  return {
    log: patientLog(engine.log),
    queue: patientQueue(engine.queue),
    table: patientTable(engine.table),
    blobs: {
      put: async (key, content) => {
        const chunks: Uint8Array[] = []
        // A stream can be read once: kept, so that it can be sent again.
        for await (const chunk of content instanceof Uint8Array ? [content] : content) chunks.push(chunk)
        return retried(() => engine.blobs.put(key, replay(chunks)))
      },
      get: (key) => retried(() => engine.blobs.get(key)),
      list: (prefix) => engine.blobs.list(prefix),
      delete: (key) => retried(() => engine.blobs.delete(key)),
    },
    clock: engine.clock,
    md5Hex: (text) => engine.md5Hex(text),
    md5: (bytes) => engine.md5(bytes),
    close: () => engine.close(),
  }
}

async function* replay(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** Calls again while the call rejects with a retryable error. */
export async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      if (!isEddyError(error) || !error.retryable || tries >= MAX_TRIES) throw error
    }
  }
}

let producers = 0

function patientLog(log: Log): Log {
  producers += 1
  const producerId = `patient-${producers}`
  let producerSequence = 0
  return {
    keepsKeyOrder: log.keepsKeyOrder,
    dropsCopies: log.dropsCopies,
    createStream: (spec) => log.createStream(spec),
    deleteStream: (name) => log.deleteStream(name),
    setRetention: (name, retentionMs) => log.setRetention(name, retentionMs),
    listStreams: () => retried(() => log.listStreams()),
    describeStream: (name) => retried(() => log.describeStream(name)),
    listShards: (stream) => retried(() => log.listShards(stream)),
    read: (request) => retried(() => log.read(request)),
    split: (stream, shardId, key) => log.split(stream, shardId, key),
    merge: (stream, shardId, adjacent) => log.merge(stream, shardId, adjacent),
    append: (stream, entries) => {
      // Numbered, so that resending after a lost acknowledgement stores no copy.
      const numbered = entries.map((entry) =>
        entry.producerId === undefined
          ? { ...entry, producerId, producerSequence: producerSequence++ }
          : entry,
      )
      return resendFailed(numbered, (part: readonly AppendEntry[]) => log.append(stream, part))
    },
  }
}

function patientQueue(queue: Queue): Queue {
  return {
    send: (name, messages) =>
      resendFailed(messages, (part: readonly QueueMessage[]) => queue.send(name, part)),
    receive: (request) => retried(() => queue.receive(request)),
    ack: (name, receipts) => retried(() => queue.ack(name, receipts)),
    delay: (name, receipt, delayMs) => retried(() => queue.delay(name, receipt, delayMs)),
    depth: (name) => retried(() => queue.depth(name)),
    stats: (name) => retried(() => queue.stats(name)),
    purge: (name) => retried(() => queue.purge(name)),
  }
}

function patientTable(table: Table): Table {
  return {
    get: (key) => retried(() => table.get(key)),
    getMany: (keys) => retried(() => table.getMany(keys)),
    query: (request) => retried(() => table.query(request)),
    count: (partition, byIndex) => retried(() => table.count(partition, byIndex)),
    put: async (item, expect) => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        try {
          return await table.put(item, expect)
        } catch (error) {
          if (!isEddyError(error) || !error.retryable) throw error
        }
        // Nothing is known about the write: it took effect when all it wrote stands there.
        const current = await retried(() => table.get(item))
        if (current !== undefined && sameValue({ ...current, version: 0 }, { ...item, version: 0 })) {
          return { ok: true, version: current.version }
        }
      }
      throw new StorageError('put: no answer')
    },
    delete: async (key, expect) => {
      let ambiguous = false
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        try {
          const result = await table.delete(key, expect)
          const gone = ambiguous && !result.ok && result.current === undefined
          return gone ? { ok: true, version: 0 } : result
        } catch (error) {
          if (!isEddyError(error) || !error.retryable) throw error
          ambiguous = true
        }
      }
      throw new StorageError('delete: no answer')
    },
  }
}

async function resendFailed<E, R extends AppendResult | SendResult>(
  entries: readonly E[],
  send: (part: readonly E[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const results = new Array<R>(entries.length)
  let open = entries.map((_, index) => index)
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const part = open.map((index) => entries[index] as E)
    const answers = await retried(() => send(part))
    const failed: number[] = []
    for (const [i, index] of open.entries()) {
      const answer = answers[i] as R
      results[index] = answer
      if (!answer.ok && answer.retryable) failed.push(index)
    }
    if (failed.length === 0) return results
    open = failed
  }
  return results
}
