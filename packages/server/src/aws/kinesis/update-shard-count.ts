import type { AwsStructure } from '../aws-service.ts'
import { checkShardLimit } from './create-stream.ts'
import { isOpen, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument, limitExceeded } from './kinesis-errors.ts'
import { provisioned } from './reshard.ts'
import { streamArn } from './stream-arn.ts'

const DAY_MS = 24 * 3_600_000
const MAX_SCALINGS_A_DAY = 10

export interface UpdateShardCountInput extends StreamRef {
  readonly TargetShardCount: number
  /** UNIFORM_SCALING, the only one. */
  readonly ScalingType: string
}

/** The splits and merges are made while the stream is UPDATING. */
export async function updateShardCount(
  context: KinesisContext,
  input: UpdateShardCountInput,
): Promise<AwsStructure> {
  const { engine, region, accountId } = context
  const stream = await provisioned(context, input)
  const target = input.TargetShardCount
  const current = (await engine.log.listShards(stream.name)).filter(isOpen).length
  const nowMs = engine.clock.now()
  const scaledAtMs = stream.notes.scaledAtMs.filter((atMs) => atMs > nowMs - DAY_MS)
  if (context.limits !== undefined) {
    checkStep(target, current)
    // Unverified text.
    if (scaledAtMs.length >= MAX_SCALINGS_A_DAY)
      throw limitExceeded(
        `UpdateShardCount cannot be called more than ${MAX_SCALINGS_A_DAY} times in a rolling 24-hour period for ` +
          `stream ${stream.name} under account ${accountId}.`,
      )
  }
  await checkShardLimit(context, Math.max(0, target - current), current)
  const notes = { ...stream.notes, scaledAtMs: [...scaledAtMs, nowMs].slice(-MAX_SCALINGS_A_DAY) }
  await context.changes.begin(stream.name, notes, { kind: 'scale', targetShardCount: target })
  return {
    StreamName: stream.name,
    CurrentShardCount: current,
    TargetShardCount: target,
    StreamARN: streamArn(region, accountId, stream.name),
  }
}

function checkStep(target: number, current: number): void {
  if (target > current * 2)
    throw invalidArgument(
      `UpdateShardCount cannot scale up over double your current open shard count. Current open shard count: ${current} ` +
        `Target shard count: ${target}`,
    )
  if (target < current / 2)
    throw invalidArgument(
      `UpdateShardCount cannot scale down below half your current open shard count. Current open shard count: ${current} ` +
        `Target shard count: ${target}`,
    )
}
