import { textMapIn, textsIn } from '../input.ts'
import { invalidParameter, missingParameter } from '../sqs-errors.ts'
import { queueItem } from '../store/table-keys.ts'
import { queueOf, type SqsOperation } from './operation.ts'

const MAX_TAGS = 50
const MAX_KEY_CHARACTERS = 128
const MAX_VALUE_CHARACTERS = 256
const TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

export const tagQueue: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const given = textMapIn(input, 'Tags')
  if (given.size === 0) throw missingParameter('Tags')
  const tags = new Map([...Object.entries(queue.stored.tags), ...given])
  checkTags(given)
  if (tags.size > MAX_TAGS) throw tooMany(queue.name)
  queue.stored = { ...queue.stored, tags: Object.fromEntries(tags) }
  await world.journal.commit({ puts: [queueItem(queue.stored)] })
  return {}
}

export const untagQueue: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const keys = textsIn(input, 'TagKeys')
  if (keys.length === 0) throw missingParameter('TagKeys')
  const tags = Object.entries(queue.stored.tags).filter(([key]) => !keys.includes(key))
  queue.stored = { ...queue.stored, tags: Object.fromEntries(tags) }
  await world.journal.commit({ puts: [queueItem(queue.stored)] })
  return {}
}

export const listQueueTags: SqsOperation = async (world, input, call) => {
  const queue = queueOf(world, input, call)
  const { tags } = queue.stored
  await world.journal.commit({})
  return Object.keys(tags).length === 0 ? {} : { Tags: tags }
}

/** @throws AwsError if a queue may not have these tags */
export function checkTags(tags: ReadonlyMap<string, string>): void {
  if (tags.size > MAX_TAGS) throw tooMany('')
  for (const [key, value] of tags) {
    const isKey = key.length > 0 && key.length <= MAX_KEY_CHARACTERS && TEXT.test(key)
    if (!isKey || /^aws:/i.test(key)) {
      throw invalidParameter(
        `Invalid tag key: 1 to ${MAX_KEY_CHARACTERS} letters, digits, spaces and _.:/=+-@, and not beginning with aws:.`,
      )
    }
    if (value.length > MAX_VALUE_CHARACTERS || !TEXT.test(value)) {
      throw invalidParameter(
        `Invalid tag value: at most ${MAX_VALUE_CHARACTERS} letters, digits, spaces and _.:/=+-@.`,
      )
    }
  }
}

function tooMany(name: string): Error {
  return invalidParameter(`Too many tags added for queue ${name}. At most ${MAX_TAGS} are allowed.`)
}
