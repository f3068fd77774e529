import { beginsAggregate } from '../aggregate/aggregate-format.ts'
import { Expander } from '../aggregate/expander.ts'
import { logPosition, type ReadPosition } from '../aggregate/read-position.ts'
import { ShardNotFoundError } from '../errors/stream-errors.ts'
import type { Engine } from '../ports/engine.ts'
import type { ReadRequest } from '../ports/log.ts'
import { ReadWindow, type Slice } from './read-window.ts'

export interface UserReadRequest extends Omit<ReadRequest, 'from'> {
  readonly from: ReadPosition
}

/**
 * One read for whoever looks at a stream and keeps no place in it: `maxRecords` user records at most. What an aggregate
 * holds beyond them is read with it again.
 * @throws as `Log.read` does
 */
export async function readUserRecords(
  engine: Pick<Engine, 'log' | 'md5' | 'md5Hex'>,
  request: UserReadRequest,
): Promise<Slice> {
  const { log } = engine
  const { stream, shardId, from, maxRecords } = request
  const start = logPosition(from)
  const result = await log.read({ ...request, from: start })
  if (start === from && !result.records.some(({ data }) => beginsAggregate(data))) return result
  const shard = (await log.listShards(stream)).find((listed) => listed.shardId === shardId)
  if (shard === undefined) throw new ShardNotFoundError(stream, shardId)
  const window = new ReadWindow(new Expander(engine, shard), start, result)
  return window.slice(from, 0, maxRecords)?.slice ?? result
}
