import {
  type FailureDetail,
  type FailureFilter,
  FailureNotFoundError,
  type LedgerItem,
  logPosition,
  type Operations,
  OutOfOrderError,
  PolicyConflictError,
  QueueNotFoundError,
  type QueueStatus,
  type RedriveJob,
  RedriveNotFoundError,
  resolveLimits,
  type StreamSpec,
  SubscriptionNotFoundError,
  type SubscriptionStatus,
} from '@eddy/core'
import { FakeLog } from './fake-log.ts'
import {
  AT_MS,
  failureDetail,
  ledgerItem,
  policy,
  queueStatus,
  redriveJob,
  subscription,
} from './fixtures.ts'

/** What the fake was asked to do, by method. */
type Asked = { method: string; args: readonly unknown[] }

export interface FakeOperations extends Operations {
  readonly log: FakeLog
  readonly asked: Asked[]
}

/** Operations in memory: the shapes and the errors of the real ones, over a few fixed items. */
export function fakeOperations(changes: Partial<Operations> = {}): FakeOperations {
  const log = new FakeLog()
  const asked: Asked[] = []
  const record = (method: string, ...args: readonly unknown[]): void => {
    asked.push({ method, args })
  }
  log.create({ name: 'orders', shardCount: 1, retentionMs: 604_800_000, durability: 'fsync' })
  return {
    log,
    asked,
    readOnly: false,
    ...streamOperations(log, record),
    ...queueOperations(record),
    ...subscriptionOperations(record),
    ...policyOperations(record),
    ...failureOperations(record),
    ...redriveOperations(record),
    listAudit: async (limit) => {
      record('listAudit', limit)
      return [{ atMs: AT_MS, by: 'ada', action: 'drop', target: 'billing', count: 2, note: 'n' }]
    },
    metrics: async () => '# TYPE eddy_appended_total counter\neddy_appended_total 1\n',
    ready: () => true,
    watch: async function* (signal) {
      yield { type: 'subscriptions', data: [subscription()] }
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    },
    backup: async (target) => {
      record('backup', target)
      return { bytes: 4_096 }
    },
    ...changes,
  }
}

type Recorder = (method: string, ...args: readonly unknown[]) => void

function streamOperations(log: FakeLog, record: Recorder) {
  return {
    append: async (...args: Parameters<Operations['append']>) => log.append(...args),
    appendOnce: async (...args: Parameters<Operations['appendOnce']>) => log.appendOnce(...args),
    read: async (request: Parameters<Operations['read']>[0]) => {
      record('read', request)
      return log.read({ ...request, from: logPosition(request.from) })
    },
    decode: (entry: Parameters<Operations['decode']>[0]): unknown =>
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(entry.data)),
    listStreams: async () =>
      [...log.streams.values()].map(({ detail: { shards, subscriptions, ...info } }) => info),
    showStream: async (name: string) => log.find(name).detail,
    createStream: async ({ limits, ...spec }: Parameters<Operations['createStream']>[0]) =>
      log.create({
        retentionMs: 604_800_000,
        durability: 'fsync',
        shardCount: 4,
        ...spec,
        ...(limits !== undefined && limitsOf({ limits })),
      }),
    changeStream: async (name: string, change: Parameters<Operations['changeStream']>[1]) => {
      record('changeStream', name, change)
      return { ...log.find(name).detail, ...limitsOf(change) }
    },
    deleteStream: async (name: string) => {
      log.find(name)
      log.streams.delete(name)
    },
    splitShard: async (...args: Parameters<Operations['splitShard']>) => {
      record('splitShard', ...args)
      return log.shard(args[0], args[1])
    },
    mergeShards: async (...args: Parameters<Operations['mergeShards']>) => {
      record('mergeShards', ...args)
      return log.shard(args[0], args[1])
    },
  }
}

function queueOperations(
  record: Recorder,
): Pick<Operations, 'send' | 'listQueues' | 'showQueue' | 'purgeQueue'> {
  const find = (name: string): QueueStatus => {
    if (name !== 'emails') throw new QueueNotFoundError(name)
    return queueStatus()
  }
  return {
    send: async (...args) => {
      record('send', ...args)
      find(args[0])
      return args[1].map((message, index) => ({
        ok: true as const,
        id: message.id ?? `new-${index}`,
        messageId: String(index),
        duplicate: false,
      }))
    },
    listQueues: async () => [queueStatus()],
    showQueue: async (name) => find(name),
    purgeQueue: async (...args) => {
      record('purgeQueue', ...args)
      return { messages: find(args[0]).messages, dryRun: args[1]?.dryRun === true }
    },
  }
}

function subscriptionOperations(record: Recorder) {
  const find = (name: string, changes: Partial<SubscriptionStatus> = {}): SubscriptionStatus => {
    if (name !== 'billing') throw new SubscriptionNotFoundError(name)
    return subscription(changes)
  }
  return {
    listSubscriptions: async () => [subscription()],
    showSubscription: async (name: string) => find(name),
    pauseSubscription: async (...args: Parameters<Operations['pauseSubscription']>) => {
      record('pauseSubscription', ...args)
      return find(args[0], { paused: true, pausedBy: args[1]?.by ?? 'operator' })
    },
    resumeSubscription: async (...args: Parameters<Operations['resumeSubscription']>) => {
      record('resumeSubscription', ...args)
      return find(args[0])
    },
    seekSubscription: async (...args: Parameters<Operations['seekSubscription']>) => {
      record('seekSubscription', ...args)
      return find(args[0])
    },
  }
}

function failureOperations(record: Recorder) {
  const items = [ledgerItem(), ledgerItem({ id: 'billing:é/ü?#%:1', key: 'ключ/7' })]
  const find = (id: string): LedgerItem => {
    const item = items.find((each) => each.id === id)
    if (item === undefined) throw new FailureNotFoundError(id)
    return item
  }
  const group = { subscription: 'billing', fingerprint: 'f1', errorType: 'TypeError', count: 2 }
  const seen = { firstSeenMs: AT_MS, lastSeenMs: AT_MS }
  const bulk = (dryRun = false) => ({ matched: items.length, changed: dryRun ? 0 : items.length, dryRun })
  return {
    listFailures: async (...args: Parameters<Operations['listFailures']>) => {
      record('listFailures', ...args)
      return { items, next: 'page-2' }
    },
    exportFailures: async function* (
      ...args: Parameters<Operations['exportFailures']>
    ): AsyncGenerator<FailureDetail> {
      record('exportFailures', ...args)
      for (const item of items) yield failureDetail(item)
    },
    failureGroups: async (filter: FailureFilter) => {
      record('failureGroups', filter)
      return [{ ...group, ...seen, sample: { id: 'x', key: 'customer-7', message: 'no' } }]
    },
    showFailure: async (id: string) => failureDetail(find(id)),
    editFailure: async (...args: Parameters<Operations['editFailure']>) => {
      record('editFailure', ...args)
      const original = find(args[0])
      return { item: ledgerItem({ id: 'new', editOf: original.id }), original }
    },
    dropFailures: async (...args: Parameters<Operations['dropFailures']>) => {
      record('dropFailures', ...args)
      return bulk(args[1]?.dryRun)
    },
    archiveFailures: async (...args: Parameters<Operations['archiveFailures']>) => {
      record('archiveFailures', ...args)
      return bulk(args[1]?.dryRun)
    },
  }
}

function redriveOperations(record: Recorder) {
  const find = (id: string, changes: Partial<RedriveJob> = {}): RedriveJob => {
    if (id !== 'r-1') throw new RedriveNotFoundError(id)
    return redriveJob(changes)
  }
  return {
    planRedrive: async (...args: Parameters<Operations['planRedrive']>) => {
      record('planRedrive', ...args)
      return { count: 2, outOfOrder: 1, subscriptions: [{ subscription: 'billing', count: 2 }] }
    },
    startRedrive: async (...args: Parameters<Operations['startRedrive']>) => {
      record('startRedrive', ...args)
      if (args[1]?.allowOutOfOrder !== true) throw new OutOfOrderError(1)
      return redriveJob({ filter: args[0] })
    },
    listRedrives: async () => [redriveJob({ state: 'done', finishedAtMs: AT_MS })],
    showRedrive: async (id: string) => find(id),
    cancelRedrive: async (...args: Parameters<Operations['cancelRedrive']>) => {
      record('cancelRedrive', ...args)
      return find(args[0], { state: 'cancelled', finishedAtMs: AT_MS })
    },
  }
}

function policyOperations(
  record: (method: string, ...args: readonly unknown[]) => void,
): Pick<Operations, 'showPolicy' | 'changePolicy'> {
  const require = (name: string): void => {
    if (name !== 'billing') throw new SubscriptionNotFoundError(name)
  }
  return {
    showPolicy: async (name) => {
      require(name)
      return policy()
    },
    changePolicy: async (...args) => {
      const [name, , options] = args
      record('changePolicy', ...args)
      require(name)
      const { version, history } = policy()
      if (options?.expectVersion !== undefined && options.expectVersion !== version)
        throw new PolicyConflictError(name, options.expectVersion, version)
      const dryRun = options?.dryRun === true
      return {
        subscription: name,
        version: version + Number(!dryRun),
        changes: history[0]?.changes ?? [],
        dryRun,
      }
    },
  }
}

function limitsOf({ limits }: Parameters<Operations['changeStream']>[1]): Pick<StreamSpec, 'limits'> {
  const resolved = limits === undefined ? 'none' : resolveLimits('limits', limits)
  return resolved === 'none' ? {} : { limits: resolved }
}
