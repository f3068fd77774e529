import { readUserRecords } from '../consume/read-user-records.ts'
import { BackupUnsupportedError, ReadOnlyError, SubscriptionNotFoundError } from '../errors/request-errors.ts'
import { decodeEvent } from '../model/envelope.ts'
import { checkInteger } from '../model/option-checks.ts'
import type { SubscriptionControl } from '../runtime/subscription-control.ts'
import { type Actor, actorOf, type Changing } from './action.ts'
import { Audit } from './audit.ts'
import { type BulkAction, bulkFailures } from './bulk-failures.ts'
import { completeEdits } from './complete-edit.ts'
import { editFailure } from './edit-failure.ts'
import { exportFailures } from './export-failures.ts'
import { failureDetail, requireFailure } from './failure-detail.ts'
import { failureGroups } from './failure-groups.ts'
import { listFailures } from './list-failures.ts'
import type { BulkOptions, BulkResult, FailureFilter, Operations, SubscriptionStatus } from './operations.ts'
import type { OperationsDeps } from './operations-deps.ts'
import { policyOperations } from './policy-operations.ts'
import { listQueues, purgeQueue, showQueue } from './queues.ts'
import { Redrives } from './redrives.ts'
import { changeStream, createStream, deleteStream, mergeShards, showStream, splitShard } from './streams.ts'
import { checkSeek, subscriptionStatuses } from './subscriptions.ts'
import { watch } from './watch.ts'

/** Operations, and what the runtime does with them at its start and end. */
export interface RunningOperations extends Operations {
  /** `completeEdits`, then `resumeRedrives`. Call once the subscriptions run, before anybody is served. */
  resume(): Promise<void>
  /** Finishes the edits that the last process left. @returns how many were carried out */
  completeEdits(): Promise<number>
  /** Goes on with the redrives that the last process left, in the background. @returns how many */
  resumeRedrives(): Promise<number>
  /** The same for one of several processes, again and again: what others are at is theirs. */
  resumeOrphans(): Promise<number>
  /** Stops the redrives between two ids; they go on at the next start. */
  stop(): Promise<void>
}

/** Everything that an operator or a producer can do, over the running subscriptions and the engine. */
export function createOperations(deps: OperationsDeps): RunningOperations {
  const audit = new Audit(deps.engine)
  const redrives = new Redrives(deps, audit)
  const changing = <T>(action: string, change: () => Promise<T>): Promise<T> =>
    deps.readOnly ? Promise.reject(new ReadOnlyError(action)) : change()
  const finishEdits = async (): Promise<number> => (deps.readOnly ? 0 : await completeEdits(deps))
  const resumeRedrives = async (): Promise<number> => (deps.readOnly ? 0 : await redrives.resume())
  const resumeOrphans = async (): Promise<number> => (deps.readOnly ? 0 : await redrives.resumeOrphans())
  return {
    readOnly: deps.readOnly,
    ...recordOperations(deps, changing),
    ...streamOperations(deps, audit, changing),
    ...queueOperations(deps, audit, changing),
    ...subscriptionOperations(deps, audit, changing),
    ...policyOperations(deps, audit, changing),
    ...failureOperations(deps, audit, changing),
    planRedrive: (filter, options) => redrives.plan(filter, options),
    startRedrive: (filter, options) => changing('redrive', () => redrives.start(filter, options)),
    listRedrives: () => redrives.list(),
    showRedrive: (id) => redrives.show(id),
    cancelRedrive: (id, options) => changing('cancelling a redrive', () => redrives.cancel(id, options)),
    listAudit: (limit) => audit.list(limit),
    metrics: async () => await deps.metrics(),
    ready: () => deps.ready(),
    watch: (signal) => watch(deps, () => subscriptionStatuses(deps), signal),
    backup: async (target) => {
      if (deps.backup === undefined) throw new BackupUnsupportedError('present')
      return await deps.backup(target)
    },
    resume: async () => {
      await finishEdits()
      await resumeRedrives()
    },
    completeEdits: finishEdits,
    resumeRedrives,
    resumeOrphans,
    stop: () => redrives.stop(),
  }
}

function recordOperations(
  deps: OperationsDeps,
  changing: Changing,
): Pick<Operations, 'append' | 'appendOnce' | 'send' | 'read' | 'decode'> {
  return {
    append: (stream, events, options) =>
      changing('append', () => deps.producer.append(stream, events, options)),
    appendOnce: (stream, events, marks) =>
      changing('append', () => deps.producer.appendOnce(stream, events, marks)),
    send: (queue, messages) => changing('send', () => deps.producer.send(queue, messages)),
    read: async (request) => {
      checkInteger('limit', request.maxRecords, 1, 10_000)
      return await readUserRecords(deps.engine, request)
    },
    decode: (record) => decodeEvent(record.data),
  }
}

function streamOperations(
  deps: OperationsDeps,
  audit: Audit,
  changing: Changing,
): Pick<
  Operations,
  | 'listStreams'
  | 'showStream'
  | 'createStream'
  | 'changeStream'
  | 'deleteStream'
  | 'splitShard'
  | 'mergeShards'
> {
  const noted = async <T>(action: string, target: string, change: () => Promise<T>): Promise<T> => {
    const result = await change()
    await audit.append({ by: 'operator' }, action, target)
    return result
  }
  return {
    listStreams: () => deps.engine.log.listStreams(),
    showStream: (name) => showStream(deps, name),
    createStream: (stream) =>
      changing('creating a stream', () =>
        noted('stream-create', stream.name, () => createStream(deps, stream)),
      ),
    changeStream: (name, change) =>
      changing('changing a stream', () =>
        noted('stream-change', name, () => changeStream(deps, name, change)),
      ),
    deleteStream: (name) =>
      changing('deleting a stream', () => noted('stream-delete', name, () => deleteStream(deps, name))),
    splitShard: (stream, shardId, newStartingHashKey) =>
      changing('splitting a shard', () =>
        noted('shard-split', `${stream}/${shardId}`, () =>
          splitShard(deps, stream, shardId, newStartingHashKey),
        ),
      ),
    mergeShards: (stream, shardId, adjacentShardId) =>
      changing('merging shards', () =>
        noted('shard-merge', `${stream}/${shardId}`, () =>
          mergeShards(deps, stream, shardId, adjacentShardId),
        ),
      ),
  }
}

function queueOperations(
  deps: OperationsDeps,
  audit: Audit,
  changing: Changing,
): Pick<Operations, 'listQueues' | 'showQueue' | 'purgeQueue'> {
  return {
    listQueues: () => listQueues(deps),
    showQueue: (name) => showQueue(deps, name),
    // A dry run changes nothing: a read-only server counts, too.
    purgeQueue: (name, options) =>
      options?.dryRun === true
        ? purgeQueue(deps, audit, name, options)
        : changing('purging a queue', () => purgeQueue(deps, audit, name, options)),
  }
}

function subscriptionOperations(
  deps: OperationsDeps,
  audit: Audit,
  changing: Changing,
): Pick<
  Operations,
  'listSubscriptions' | 'showSubscription' | 'pauseSubscription' | 'resumeSubscription' | 'seekSubscription'
> {
  const require = (name: string): SubscriptionControl => {
    const control = deps.subscriptions.get(name)
    if (control === undefined) throw new SubscriptionNotFoundError(name)
    return control
  }
  const act = async (
    action: string,
    name: string,
    actor: Actor,
    change: (control: SubscriptionControl) => Promise<void>,
  ): Promise<SubscriptionStatus> => {
    const control = require(name)
    await change(control)
    await audit.append(actor, action, name)
    return await control.status()
  }
  return {
    listSubscriptions: () => subscriptionStatuses(deps),
    showSubscription: async (name) => await require(name).status(),
    pauseSubscription: (name, options) =>
      changing('pausing', async () => {
        const actor = actorOf(options)
        return await act('pause', name, actor, (control) => control.pause(actor.by))
      }),
    resumeSubscription: (name, options) =>
      changing('resuming', async () => {
        const actor = actorOf(options)
        const isReset = options?.resetBreaker === true && (await require(name).resetBreaker())
        if (isReset) await audit.append(actor, 'breaker-reset', name)
        return await act('resume', name, actor, (control) => control.resume())
      }),
    seekSubscription: (name, to, options) =>
      changing('seeking', async () => {
        checkSeek(to)
        return await act('seek', name, actorOf(options), (control) => control.seek(to, options?.shardId))
      }),
  }
}

function failureOperations(
  deps: OperationsDeps,
  audit: Audit,
  changing: Changing,
): Pick<
  Operations,
  | 'listFailures'
  | 'exportFailures'
  | 'failureGroups'
  | 'showFailure'
  | 'editFailure'
  | 'dropFailures'
  | 'archiveFailures'
> {
  const bulk = async (
    action: BulkAction,
    filter: FailureFilter,
    options?: BulkOptions,
  ): Promise<BulkResult> => {
    const result = await bulkFailures(deps, action, filter, options)
    if (!result.dryRun) await audit.append(actorOf(options), action, targetOf(filter), result.changed)
    return result
  }
  // A dry run changes nothing: a read-only server counts, too.
  const bulkOrCount = (
    doing: string,
    action: BulkAction,
    filter: FailureFilter,
    options?: BulkOptions,
  ): Promise<BulkResult> =>
    options?.dryRun === true
      ? bulk(action, filter, options)
      : changing(doing, () => bulk(action, filter, options))
  return {
    listFailures: (filter, page) => listFailures(deps, filter, page),
    exportFailures: (filter, limit) => exportFailures(deps, filter, limit),
    failureGroups: (filter) => failureGroups(deps, filter),
    showFailure: async (id) => {
      const { control, entry } = await requireFailure(deps, id)
      return await failureDetail(control, entry)
    },
    editFailure: (id, payload, options) =>
      changing('editing', async () => {
        const result = await editFailure(deps, id, payload, options)
        await audit.append(actorOf(options), 'edit', id, 1)
        return result
      }),
    dropFailures: (filter, options) => bulkOrCount('dropping', 'drop', filter, options),
    archiveFailures: (filter, options) => bulkOrCount('archiving', 'archive', filter, options),
  }
}

/** The filter in words, for the audit; ids are counted, not listed. */
function targetOf(filter: FailureFilter): string {
  const { ids, ...fields } = filter
  const text = JSON.stringify(ids === undefined ? fields : { ...fields, ids: ids.length })
  return text.length > 1_024 ? `${text.slice(0, 1_023)}…` : text
}
