import type { AwsCall, AwsStructure } from '../../aws-service.ts'
import { requiredText, textIn, wholeIn } from '../input.ts'
import { nameFromStoredArn, queueUrl } from '../queue-names.ts'
import { invalidParameter, noSuchQueue } from '../sqs-errors.ts'
import { queueOf, type SqsOperation } from './operation.ts'

const MAX_RESULTS = 1_000

export const listQueues: SqsOperation = async (world, input, call) => {
  const prefix = textIn(input, 'QueueNamePrefix') ?? ''
  const names = [...world.queues.keys()].filter((name) => name.startsWith(prefix))
  await world.journal.commit({})
  const { urls, next } = pageOf(names, input, call)
  return { ...(urls.length > 0 && { QueueUrls: urls }), NextToken: next }
}

export const listDeadLetterSourceQueues: SqsOperation = async (world, input, call) => {
  const target = queueOf(world, input, call)
  const sources = [...world.queues.values()].filter(
    ({ redrive }) => redrive !== undefined && nameFromStoredArn(redrive.deadLetterTargetArn) === target.name,
  )
  await world.journal.commit({})
  const names = sources.map(({ name }) => name)
  const { urls, next } = pageOf(names, input, call)
  return { queueUrls: urls, NextToken: next }
}

export const getQueueUrl: SqsOperation = async (world, input, call) => {
  const owner = textIn(input, 'QueueOwnerAWSAccountId')
  if (owner !== undefined && owner !== call.accountId) throw noSuchQueue()
  const { name } = world.queue(requiredText(input, 'QueueName'))
  await world.journal.commit({})
  return { QueueUrl: queueUrl(call, name) }
}

/** By name. A token is the last name of the page before. */
function pageOf(
  names: readonly string[],
  input: AwsStructure,
  call: AwsCall,
): { readonly urls: readonly string[]; readonly next: string | undefined } {
  const limit = wholeIn(input, 'MaxResults', {
    min: 1,
    max: MAX_RESULTS,
    reason: 'MaxResults must be an integer between 1 and 1000.',
  })
  const token = textIn(input, 'NextToken')
  if (token !== undefined && limit === undefined) {
    throw invalidParameter('MaxResults is required when NextToken is given.')
  }
  const after = token === undefined ? '' : Buffer.from(token, 'base64').toString()
  if (token !== undefined && (after === '' || Buffer.from(after).toString('base64') !== token)) {
    throw invalidParameter('Invalid or expired next token.')
  }
  const rest = names.filter((name) => name > after).sort(compare)
  const page = rest.slice(0, limit ?? MAX_RESULTS)
  const hasMore = limit !== undefined && rest.length > page.length
  return {
    urls: page.map((name) => queueUrl(call, name)),
    next: hasMore ? Buffer.from(page.at(-1) ?? '').toString('base64') : undefined,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1
}
