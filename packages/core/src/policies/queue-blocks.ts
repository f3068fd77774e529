import { InvalidOptionError } from '../errors/request-errors.ts'
import type { Blocks } from '../model/failure.ts'
import type { QueueDefinition } from '../model/message.ts'

/**
 * What can wait in a queue: a group, where there are groups.
 * @throws InvalidOptionError
 */
export function checkQueueBlocks(path: string, { name, group }: QueueDefinition, blocks: Blocks): void {
  if (blocks === 'shard') {
    throw new InvalidOptionError(
      `${path}.blocks`,
      `'key' or 'nothing', since queue "${name}" has no shards`,
      blocks,
    )
  }
  if (blocks === 'key' && group === undefined) {
    throw new InvalidOptionError(
      `${path}.blocks`,
      `'nothing', since queue "${name}" has no groups that could wait. To have them: queue("${name}", { group: 'FIELD' })`,
      blocks,
    )
  }
}
