import {
  type ActionOptions,
  type BulkOptions,
  type BulkResult,
  type EditResult,
  type FailureDetail,
  type FailureFilter,
  type FailureGroup,
  type FailurePage,
  InvalidOptionError,
  type NewStream,
  type PolicyChange,
  type PolicyOptions,
  type PolicyResult,
  type PolicyState,
  type PurgeOptions,
  type PurgeResult,
  type QueueStatus,
  type RedriveJob,
  type RedriveOptions,
  type RedrivePlan,
  type ResumeOptions,
  type StreamChange,
  type StreamDetail,
  type StreamInfo,
  type SubscriptionStatus,
} from '@eddy/core'
import { readNdjson } from './ndjson.ts'
import { type Query, Transport, type TransportOptions } from './transport.ts'

/** Where a read begins: `trim_horizon`, `latest`, `at:SEQ`, `after:SEQ` (with `:SUB` within an aggregate), an ISO time or epoch milliseconds. */
export type FromText = string

export interface RemoteRecord {
  readonly sequenceNumber: string
  /** Place in the aggregate that the record came in. */
  readonly subSequenceNumber?: number
  readonly partitionKey: string
  readonly explicitHashKey?: string
  readonly arrivedAtMs: number
  /** Of an aggregate outside its shard's hash range: subscriptions pass over it. */
  readonly isStray?: boolean
  /** The decoded event; absent when the bytes are not one. */
  readonly event?: unknown
  readonly dataBase64?: string
}

export interface RemoteRead {
  readonly records: readonly RemoteRecord[]
  /** Absent: the shard is closed and everything in it was read. */
  readonly next?: FromText
  readonly millisBehindLatest: number
  readonly expiredRecords: number
}

export type SeekTarget =
  | { readonly at: 'trim_horizon' | 'latest' }
  | { readonly at: 'at_timestamp'; readonly timestampMs: number }
  | { readonly at: 'at_sequence_number'; readonly sequenceNumber: string }

/** The operations of a running server, over HTTP. Results are those of `Operations` of @eddy/core. */
export class HttpClient {
  readonly transport: Transport

  constructor(options: TransportOptions) {
    this.transport = new Transport(options)
  }

  listStreams(): Promise<readonly StreamInfo[]> {
    return this.#get('/v1/streams')
  }
  showStream(name: string): Promise<StreamDetail> {
    return this.#get(`/v1/streams/${encode(name)}`)
  }
  createStream(stream: NewStream): Promise<StreamDetail> {
    return this.#post('/v1/streams', stream)
  }
  changeStream(name: string, change: StreamChange): Promise<StreamDetail> {
    return this.#send('PATCH', `/v1/streams/${encode(name)}`, change)
  }
  async deleteStream(name: string): Promise<void> {
    await this.transport.text({ method: 'DELETE', path: `/v1/streams/${encode(name)}` })
  }
  splitShard(stream: string, shardId: string, newStartingHashKey?: string): Promise<StreamDetail> {
    return this.#post(`${shardPath(stream, shardId)}/split`, { newStartingHashKey })
  }
  mergeShards(stream: string, shardId: string, adjacentShardId?: string): Promise<StreamDetail> {
    return this.#post(`${shardPath(stream, shardId)}/merge`, { adjacentShardId })
  }
  read(options: {
    stream: string
    shardId: string
    from: FromText
    limit: number
    waitMs: number
    signal?: AbortSignal
  }): Promise<RemoteRead> {
    const { stream, shardId, from, limit, waitMs, signal } = options
    return this.transport.json({
      method: 'GET',
      path: `${shardPath(stream, shardId)}/records`,
      query: { from, limit, waitMs },
      timeoutMs: waitMs + 30_000,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  listQueues(): Promise<readonly QueueStatus[]> {
    return this.#get('/v1/queues')
  }
  showQueue(name: string): Promise<QueueStatus> {
    return this.#get(`/v1/queues/${encode(name)}`)
  }
  purgeQueue(name: string, options: PurgeOptions): Promise<PurgeResult> {
    return this.#post(`/v1/queues/${encode(name)}/purge`, options, 0)
  }

  listSubscriptions(): Promise<readonly SubscriptionStatus[]> {
    return this.#get('/v1/subscriptions')
  }
  showSubscription(name: string): Promise<SubscriptionStatus> {
    return this.#get(`/v1/subscriptions/${encode(name)}`)
  }
  pauseSubscription(name: string, options: ActionOptions): Promise<SubscriptionStatus> {
    return this.#post(`/v1/subscriptions/${encode(name)}/pause`, options)
  }
  resumeSubscription(name: string, options: ResumeOptions): Promise<SubscriptionStatus> {
    return this.#post(`/v1/subscriptions/${encode(name)}/resume`, options)
  }
  seekSubscription(
    name: string,
    to: SeekTarget,
    options: ActionOptions & { readonly shardId?: string },
  ): Promise<SubscriptionStatus> {
    return this.#post(`/v1/subscriptions/${encode(name)}/seek`, { to, ...options })
  }

  showPolicy(subscription: string): Promise<PolicyState> {
    return this.#get(policyPath(subscription))
  }
  /** Parts by path: some set, some left to the application file again. */
  changePolicy(
    subscription: string,
    change: Pick<PolicyChange, 'set' | 'unset'>,
    options: PolicyOptions,
  ): Promise<PolicyResult> {
    return this.#send('PATCH', policyPath(subscription), { ...change, ...options })
  }
  replacePolicy(
    subscription: string,
    policy: Readonly<Record<string, unknown>>,
    options: PolicyOptions,
  ): Promise<PolicyResult> {
    return this.#send('PUT', policyPath(subscription), { policy, ...options })
  }
  resetPolicy(subscription: string, options: PolicyOptions): Promise<PolicyResult> {
    return this.transport.json({ method: 'DELETE', path: policyPath(subscription), query: { ...options } })
  }

  listFailures(
    filter: FailureFilter,
    page: { readonly limit: number; readonly after?: string },
  ): Promise<FailurePage> {
    return this.#get('/v1/failures', { ...filterQuery(filter), limit: page.limit, after: page.after })
  }
  failureGroups(filter: FailureFilter): Promise<readonly FailureGroup[]> {
    return this.#get('/v1/failures/groups', filterQuery(filter))
  }
  exportFailures(filter: FailureFilter, limit?: number, signal?: AbortSignal): AsyncGenerator<FailureDetail> {
    const chunks = this.transport.stream({
      method: 'GET',
      path: '/v1/failures/export',
      query: { ...filterQuery(filter), limit },
      ...(signal === undefined ? {} : { signal }),
    })
    return readNdjson<FailureDetail>(chunks)
  }
  showFailure(id: string): Promise<FailureDetail> {
    return this.#get(`/v1/failures/${encode(id)}`)
  }
  editFailure(
    id: string,
    payload: string,
    options: { readonly by?: string; readonly expectUpdatedAtMs: number },
  ): Promise<EditResult> {
    return this.transport.json({
      method: 'PUT',
      path: `/v1/failures/${encode(id)}/payload`,
      body: payload,
      headers: {
        'eddy-expect-updated-at': String(options.expectUpdatedAtMs),
        ...(options.by === undefined ? {} : { 'eddy-by': headerText(options.by) }),
      },
    })
  }
  bulk(action: 'drop' | 'archive', filter: FailureFilter, options: BulkOptions): Promise<BulkResult> {
    return this.#post(`/v1/failures/${action}`, { filter, ...options }, 0)
  }

  planRedrive(filter: FailureFilter, options: RedriveOptions): Promise<RedrivePlan> {
    return this.#post('/v1/redrives', { filter, ...options, dryRun: true }, 0)
  }
  startRedrive(filter: FailureFilter, options: RedriveOptions): Promise<RedriveJob> {
    return this.#post('/v1/redrives', { filter, ...options }, 0)
  }
  listRedrives(): Promise<readonly RedriveJob[]> {
    return this.#get('/v1/redrives')
  }
  showRedrive(id: string): Promise<RedriveJob> {
    return this.#get(`/v1/redrives/${encode(id)}`)
  }
  cancelRedrive(id: string): Promise<RedriveJob> {
    return this.#post(`/v1/redrives/${encode(id)}/cancel`, {})
  }

  backup(target: string): Promise<{ readonly bytes: number }> {
    return this.#post('/v1/backup', { target }, 0)
  }

  #get<T>(path: string, query: Query = {}): Promise<T> {
    return this.transport.json<T>({ method: 'GET', path, query })
  }
  #send<T>(method: 'PATCH' | 'PUT', path: string, body: unknown): Promise<T> {
    return this.transport.json<T>({ method, path, body: JSON.stringify(body) })
  }
  #post<T>(path: string, body: unknown, timeoutMs?: number): Promise<T> {
    return this.transport.json<T>({
      method: 'POST',
      path,
      body: JSON.stringify(body),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    })
  }
}

function policyPath(subscription: string): string {
  return `/v1/subscriptions/${encode(subscription)}/policy`
}

function shardPath(stream: string, shardId: string): string {
  return `/v1/streams/${encode(stream)}/shards/${encode(shardId)}`
}

function filterQuery({
  subscription,
  status,
  key,
  error,
  fingerprint,
  sinceMs,
  untilMs,
}: FailureFilter): Query {
  return { subscription, status, key, error, fingerprint, since: sinceMs, until: untilMs }
}

/** @throws InvalidOptionError for a name that an address cannot carry */
function encode(segment: string): string {
  if (segment === '' || segment === '.' || segment === '..') {
    throw new InvalidOptionError('name', 'a name or an id', segment)
  }
  return encodeURIComponent(segment)
}

/** A header carries only these characters. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
