import { AsyncLocalStorage } from 'node:async_hooks'
import { appendFileSync } from 'node:fs'

/**
 * Writes down every call of an AWS SDK client, a line of JSON each, before it is sent. For child processes:
 * `node --import <this file>` with EDDY_AWS_CALLS, the file to append to, and EDDY_AWS_CALLER, whose calls they are. For the
 * process itself, `recorded-calls.ts` imports it.
 *
 * Bytes are written as their number, since records may be large and only their length counts for a model.
 */
const CLIENTS = ['dynamodb', 'kinesis', 's3', 'scheduler', 'sns', 'sqs']

/** Who calls, within this process: the name of a function or a role of a worker. */
export const caller = new AsyncLocalStorage()

/** Reads of a shard name an iterator alone: the stream that each leads on in. */
const streams = new Map()
/** An iterator that nobody uses is forgotten, oldest first. */
const MAX_ITERATORS = 10_000

let file = process.env.EDDY_AWS_CALLS

/** @param {string | undefined} path - undefined: record no more */
export function recordInto(path) {
  file = path
}

for (const name of CLIENTS) {
  const { __Client: Client } = await import(`@aws-sdk/client-${name}`)
  const { send } = Client.prototype
  if (send.isRecording === true) continue
  Client.prototype.send = function sendRecorded(command, ...rest) {
    const operation = command.constructor.name.replace(/Command$/, '')
    if (file === undefined) return send.call(this, command, ...rest)
    record(this.config.serviceId, operation, command.input)
    const answer = send.call(this, command, ...rest)
    if (this.config.serviceId !== 'Kinesis' || typeof answer?.then !== 'function') return answer
    const stream = streamOf(command.input)
    return answer.then((output) => {
      // A request that failed is made again with the same one.
      streams.delete(command.input.ShardIterator)
      const iterator = output.NextShardIterator ?? output.ShardIterator
      if (iterator !== undefined && stream !== undefined) remember(iterator, stream)
      return output
    })
  }
  Client.prototype.send.isRecording = true
}

function record(service, operation, input) {
  const by = caller.getStore() ?? process.env.EDDY_AWS_CALLER ?? 'worker'
  const stream = service === 'Kinesis' ? streamOf(input) : undefined
  const line = JSON.stringify({ by, service, operation, ...(stream && { stream }), input }, (_, value) =>
    value instanceof Uint8Array || value?.type === 'Buffer' ? { bytes: (value.data ?? value).length } : value,
  )
  appendFileSync(file, `${line}\n`)
}

function streamOf(input) {
  return (
    input.StreamName ??
    /:stream\/([^/:]+)/.exec(input.StreamARN ?? input.ConsumerARN ?? '')?.[1] ??
    streams.get(input.ShardIterator)
  )
}

function remember(iterator, stream) {
  streams.set(iterator, stream)
  if (streams.size > MAX_ITERATORS) streams.delete(streams.keys().next().value)
}
