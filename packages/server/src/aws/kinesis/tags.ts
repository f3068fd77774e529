import type { AwsStructure } from '../aws-service.ts'
import { type FoundStream, findStream, requireActive, type StreamRef } from './find-stream.ts'
import type { KinesisContext } from './kinesis-context.ts'
import { invalidArgument } from './kinesis-errors.ts'

const MAX_TAGS = 50
/** Letters of the ranges that the service takes, digits, white space and these signs. */
const ALLOWED: RegExp = /^[\u00C0-\u1FFF\u2C00-\uD7FF\w\s./\-=+:%@]*$/

type Tags = { readonly [key: string]: string }

export interface AddTagsInput extends StreamRef {
  readonly Tags: Tags
}

export interface RemoveTagsInput extends StreamRef {
  readonly TagKeys: readonly string[]
}

export interface ListTagsInput extends StreamRef {
  readonly ExclusiveStartTagKey?: string
  readonly Limit?: number
}

/** The newer operations name any resource by its ARN; only streams have one here. */
export interface ResourceRef {
  readonly ResourceARN: string
}

export async function addTagsToStream(context: KinesisContext, input: AddTagsInput): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const tags = { ...stream.notes.tags, ...input.Tags }
  checkTags(context, stream.name, input.Tags, Object.keys(tags).length)
  await context.book.write(stream.name, { ...stream.notes, tags })
  return {}
}

export async function removeTagsFromStream(
  context: KinesisContext,
  input: RemoveTagsInput,
): Promise<AwsStructure> {
  const stream = await findStream(context, input)
  requireActive(context, stream)
  const gone = new Set(input.TagKeys)
  const kept = Object.entries(stream.notes.tags).filter(([key]) => !gone.has(key))
  await context.book.write(stream.name, { ...stream.notes, tags: Object.fromEntries(kept) })
  return {}
}

export async function listTagsForStream(
  context: KinesisContext,
  input: ListTagsInput,
): Promise<AwsStructure> {
  const after = input.ExclusiveStartTagKey ?? ''
  const tags = tagList(await findStream(context, input)).filter(({ Key }) => Key > after)
  const limit = input.Limit ?? MAX_TAGS
  return { Tags: tags.slice(0, limit), HasMoreTags: tags.length > limit }
}

export async function tagResource(
  context: KinesisContext,
  { ResourceARN, Tags }: ResourceRef & { readonly Tags: Tags },
): Promise<AwsStructure> {
  return addTagsToStream(context, { StreamARN: ResourceARN, Tags })
}

export async function untagResource(
  context: KinesisContext,
  { ResourceARN, TagKeys }: ResourceRef & { readonly TagKeys: readonly string[] },
): Promise<AwsStructure> {
  return removeTagsFromStream(context, { StreamARN: ResourceARN, TagKeys })
}

export async function listTagsForResource(
  context: KinesisContext,
  { ResourceARN }: ResourceRef,
): Promise<AwsStructure> {
  return { Tags: tagList(await findStream(context, { StreamARN: ResourceARN })) }
}

/** @param total - tags of the stream afterwards. @throws AwsError InvalidArgumentException */
export function checkTags(
  { accountId }: KinesisContext,
  name: string,
  tags: Tags,
  total: number = Object.keys(tags).length,
): void {
  const failed = `Failed to add tags to stream ${name} under account ${accountId} because`
  if (
    !Object.entries(tags)
      .flat()
      .every((text) => ALLOWED.test(text))
  )
    throw invalidArgument(
      `${failed} some tags contained illegal characters. The allowed characters are Unicode letters, white-spaces, ` +
        "'_',',','/','=','+','-','@'.",
    )
  // Unverified text.
  if (Object.keys(tags).some((key) => key.toLowerCase().startsWith('aws:')))
    throw invalidArgument(`${failed} tag keys that begin with aws: are reserved.`)
  if (total > MAX_TAGS)
    throw invalidArgument(
      `${failed} a given stream cannot have more than ${MAX_TAGS} tags associated with it.`,
    )
}

function tagList({ notes }: FoundStream): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(notes.tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }))
}
