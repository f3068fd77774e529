import { StreamExistsError, StreamNotFoundError } from '../errors/stream-errors.ts'
import type { StreamDefinition } from '../model/app.ts'
import type { Logger } from '../observe/logger.ts'
import type { LimitsChange, Log, StreamInfo, StreamSpec } from '../ports/log.ts'

/**
 * Creates the stream, or brings a stored one's retention, limits and faults in line with its definition. What a start
 * cannot change is told, and stays as it is stored. Where streams are given, nothing is created or changed.
 * @throws StreamNotFoundError where streams are given and this one is not
 */
export async function ensureStream(log: Log, definition: StreamDefinition, logger: Logger): Promise<void> {
  const { name, shards, retentionMs, durability } = definition
  let stored: StreamInfo
  try {
    stored = await log.describeStream(name)
  } catch (error) {
    if (!(error instanceof StreamNotFoundError) || log.hasGivenStreams === true) throw error
    try {
      await log.createStream({ name, shardCount: shards, retentionMs, durability, ...limitsOf(definition) })
      return
    } catch (failure) {
      // Another worker was first: what it made is looked at like any other.
      if (!(failure instanceof StreamExistsError)) throw failure
      stored = await log.describeStream(name)
    }
  }
  if (log.hasGivenStreams === true) {
    tellRetention(definition, stored, logger)
    return
  }
  await ensureLimits(log, definition, stored, logger)
  if (stored.durability !== durability) {
    logger.warn(
      { stream: name, defined: durability, stored: stored.durability },
      `stream "${name}" is defined with durability "${durability}" but stored with "${stored.durability}", which stays. To change it, append to a new stream.`,
    )
  }
  if (stored.shardCount !== shards) await warnOfShards(log, definition, logger)
}

function limitsOf({ limits, faults }: StreamDefinition): Pick<StreamSpec, 'limits' | 'faults'> {
  return {
    ...(limits !== undefined && limits !== 'none' && { limits }),
    ...(faults !== undefined && { faults }),
  }
}

/** A stream that a deployment made is as it was deployed; what it keeps for less time than defined is worth a word. */
function tellRetention({ name, retentionMs }: StreamDefinition, stored: StreamInfo, logger: Logger): void {
  if (stored.retentionMs >= retentionMs) return
  logger.warn(
    { stream: name, defined: retentionMs, stored: stored.retentionMs },
    `stream "${name}" is defined to keep records for ${retentionMs} ms but keeps them for ${stored.retentionMs} ms. Deploy it again, or define what it is.`,
  )
}

/**
 * Retention and limits bound each other. Where both are other than stored, the old limits go first: a crash in between
 * leaves a stream without limits, and the next start goes on.
 */
async function ensureLimits(
  log: Log,
  definition: StreamDefinition,
  stored: StreamInfo,
  logger: Logger,
): Promise<void> {
  const { name, retentionMs } = definition
  const change = changeOf(definition, stored)
  if (change !== undefined && log.setLimits === undefined) {
    const text = `stream "${name}" is defined with limits or faults, which this engine does not enforce: its service has its own`
    logger.warn({ stream: name }, text)
  }
  const setLimits = log.setLimits?.bind(log)
  if (stored.retentionMs !== retentionMs) {
    if (change?.limits !== undefined) await setLimits?.(name, { limits: 'none' })
    await log.setRetention(name, retentionMs)
  }
  if (change === undefined || setLimits === undefined) return
  await setLimits(name, change)
  logger.info(
    { stream: name, ...change },
    `stream "${name}" has the limits and faults that it is defined with`,
  )
}

/** Limits that are not defined stay as they are stored; faults that are not defined strike no more. */
function changeOf({ limits, faults = {} }: StreamDefinition, stored: StreamInfo): LimitsChange | undefined {
  const isLimited = limits === undefined || isSame(limits, stored.limits ?? 'none')
  const isFaulty = isSame(faults, stored.faults ?? {})
  if (isLimited && isFaulty) return undefined
  return { ...(!isLimited && { limits }), ...(!isFaulty && { faults }) }
}

function isSame(a: object | string, b: object | string): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** A stream that was split or merged since has other shards than it began with: either count is the right one. */
async function warnOfShards(log: Log, { name, shards }: StreamDefinition, logger: Logger): Promise<void> {
  const listed = await log.listShards(name)
  const open = listed.filter((shard) => shard.endingSequenceNumber === undefined).length
  if (open === shards) return
  const command = open < shards ? 'split' : 'merge'
  logger.warn(
    { stream: name, defined: shards, stored: open },
    `stream "${name}" is defined with ${counted(shards)} but has ${open}, which stay. To change that: eddy streams ${command} ${name} SHARD. To keep it, define it with ${counted(open)}.`,
  )
}

function counted(shards: number): string {
  return shards === 1 ? '1 shard' : `${shards} shards`
}
