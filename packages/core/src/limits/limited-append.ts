import { InvalidOptionError } from '../errors/request-errors.ts'
import { RecordTooLargeError } from '../errors/stream-errors.ts'
import type { ServiceLimits } from '../model/service-limits.ts'
import type { AppendEntry, AppendResult, LogAppendOptions, StreamInfo } from '../ports/log.ts'
import type { LimitedLogParts } from './limited-log-parts.ts'
import type { ShardBudget } from './shard-budget.ts'
import type { ShardBudgets } from './shard-budgets.ts'
import { utf8Bytes } from './utf8-bytes.ts'

/** The account in what a service says; Eddy has none. */
const ACCOUNT = '000000000000'

/** What Kinesis says of an entry that failed for no fault of its own. */
const INTERNAL_FAILURE = 'Internal service failure.'

type Refusal = Extract<AppendResult, { readonly ok: false }>

interface Spent {
  readonly budget: ShardBudget
  readonly shardId: string
  readonly bytes: number
}

export interface AppendCall {
  readonly info: StreamInfo
  readonly entries: readonly AppendEntry[]
  readonly options: LogAppendOptions | undefined
}

/** One append to a stream with limits or faults: some entries are refused, the others go on to the log. */
export class LimitedAppend {
  readonly #parts: LimitedLogParts
  readonly #budgets: ShardBudgets
  readonly #info: StreamInfo
  readonly #entries: readonly AppendEntry[]
  readonly #options: LogAppendOptions | undefined
  readonly #ofShards = new Map<string, ShardBudget>()
  readonly #spent: (Spent | undefined)[]
  /** What refused the first entry of a key that may come again: its later ones in the shard would overtake it (I3). */
  readonly #closedKeys = new Map<string, Refusal>()
  throttled = 0

  constructor(parts: LimitedLogParts, budgets: ShardBudgets, { info, entries, options }: AppendCall) {
    this.#parts = parts
    this.#budgets = budgets
    this.#info = info
    this.#entries = entries
    this.#options = options
    this.#spent = new Array(entries.length)
  }

  /**
   * One result an entry, in request order.
   * @throws InvalidOptionError when the request as a whole is over the limits; what the log throws
   */
  async run(): Promise<readonly AppendResult[]> {
    this.#checkRequest()
    const { limits, faults = {} } = this.#info
    const nowMs = this.#parts.clock.monotonicMs()
    const results: AppendResult[] = new Array(this.#entries.length)
    const passed: number[] = []
    for (const [index, entry] of this.#entries.entries()) {
      const refusal = this.#refuse(index, entry, nowMs)
      if (refusal === undefined) passed.push(index)
      else {
        results[index] = refusal
        if (refusal.code === 'throttled') this.throttled += 1
      }
    }
    if (passed.length > 0) {
      const stored = await this.#parts.log.append(
        this.#info.name,
        passed.length === this.#entries.length
          ? this.#entries
          : passed.map((index) => this.#entries[index] as AppendEntry),
        this.#options,
      )
      for (const [position, index] of passed.entries()) {
        const result = stored[position] as AppendResult
        results[index] = result
        this.#settle(index, result, limits)
      }
    }
    if (faults.latencyMs) await this.#parts.clock.sleep(faults.latencyMs)
    return results
  }

  #checkRequest(): void {
    const { limits } = this.#info
    if (limits === undefined) return
    if (this.#entries.length > limits.maxEntries) {
      throw new InvalidOptionError('entries', `at most ${limits.maxEntries}`, this.#entries.length)
    }
    let bytes = 0
    for (const entry of this.#entries) bytes += sizeOf(entry) ?? 0
    if (bytes <= limits.maxRequestBytes) return
    throw new InvalidOptionError(
      'entries',
      `at most ${limits.maxRequestBytes} bytes of data and partition keys`,
      bytes,
    )
  }

  #refuse(index: number, entry: AppendEntry, nowMs: number): Refusal | undefined {
    const { limits } = this.#info
    const bytes = sizeOf(entry)
    // What is no entry at all the log refuses itself, in its own words.
    if (bytes === undefined) return undefined
    if (limits !== undefined) {
      const invalid = overSize(entry, bytes, limits)
      if (invalid !== undefined) return invalid
    }
    const shardId = this.#parts.shardIdOf(this.#info.name, entry)
    if (shardId === undefined) return undefined
    if (this.#options?.keyOrder === 'free') return this.#refuseForNow(index, shardId, bytes, nowMs)
    const before = this.#closedKeys.size === 0 ? undefined : this.#closedKeys.get(keyIn(shardId, entry))
    const refusal = before ?? this.#refuseForNow(index, shardId, bytes, nowMs)
    if (refusal !== undefined) this.#closedKeys.set(keyIn(shardId, entry), refusal)
    return refusal
  }

  /** Spends the entry, unless the shard has no room for it or it fails inside. */
  #refuseForNow(index: number, shardId: string, bytes: number, nowMs: number): Refusal | undefined {
    const { name, limits, faults = {} } = this.#info
    const { internalFailureRate = 0 } = faults
    if (internalFailureRate > 0 && this.#parts.clock.random() < internalFailureRate) {
      return { ok: false, code: 'internal', retryable: true, message: INTERNAL_FAILURE }
    }
    if (limits === undefined) return undefined
    const budget = this.#budgetOf(shardId, nowMs)
    const share = faults.throttleHarder?.[shardId] ?? 1
    if (budget.trySpendWrite(bytes, limits, share, nowMs)) {
      this.#spent[index] = { budget, shardId, bytes }
      return undefined
    }
    // What Kinesis says.
    const message = `Rate exceeded for shard ${shardId} in stream ${name} under account ${ACCOUNT}.`
    return { ok: false, code: 'throttled', retryable: true, message }
  }

  #budgetOf(shardId: string, nowMs: number): ShardBudget {
    let budget = this.#ofShards.get(shardId)
    if (budget === undefined) {
      budget = this.#budgets.of(this.#info.streamId, shardId, nowMs)
      this.#ofShards.set(shardId, budget)
    }
    return budget
  }

  /** The budget pays for what was stored, where it was stored. */
  #settle(index: number, result: AppendResult, limits: ServiceLimits | undefined): void {
    const spent = this.#spent[index]
    if (spent === undefined || limits === undefined) return
    // Of an entry that failed inside nobody knows whether it was stored: it stays paid for.
    const isUnknown = !result.ok && result.code === 'internal'
    if (isUnknown || (result.ok && !result.duplicate && result.shardId === spent.shardId)) return
    spent.budget.giveBackWrite(spent.bytes)
    if (!result.ok || result.duplicate) return
    // The shard was split or merged on the way.
    const nowMs = this.#parts.clock.monotonicMs()
    this.#budgetOf(result.shardId, nowMs).spendWrite(spent.bytes, limits, nowMs)
  }
}

/** Bytes of data and partition key; undefined for what is no entry, as without a key. */
function sizeOf({ data, partitionKey }: AppendEntry): number | undefined {
  if (!(data instanceof Uint8Array) || typeof partitionKey !== 'string' || partitionKey === '')
    return undefined
  return data.length + utf8Bytes(partitionKey)
}

function overSize(entry: AppendEntry, bytes: number, limits: ServiceLimits): Refusal | undefined {
  const { maxPartitionKeyCharacters, maxRecordBytes } = limits
  if (entry.partitionKey.length > maxPartitionKeyCharacters) {
    const message = `partitionKey: expected 1 to ${maxPartitionKeyCharacters} characters`
    return { ok: false, code: 'invalid', retryable: false, message }
  }
  if (bytes <= maxRecordBytes) return undefined
  const { message } = new RecordTooLargeError(bytes, maxRecordBytes)
  return { ok: false, code: 'too-large', retryable: false, message }
}

/** Also of an aggregate, whose key says nothing and whose hash key says which shard: they keep their order, too. */
function keyIn(shardId: string, { partitionKey }: AppendEntry): string {
  return `${shardId}/${partitionKey}`
}
