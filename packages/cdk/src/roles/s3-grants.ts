import type { Grant, Place } from './grant.ts'

const OBJECTS = 'the objects of the one bucket: their names are those of events, known only once they fail'

/** Payloads that are too large for an item or a message. */
export function payloadGrants({ partition }: Pick<Place, 'partition'>, bucket: string): readonly Grant[] {
  return [
    {
      service: 's3',
      actions: ['AbortMultipartUpload', 'DeleteObject', 'GetObject', 'PutObject'],
      resources: [`arn:${partition}:s3:::${bucket}/*`],
      wildcard: OBJECTS,
    },
  ]
}

/** Of the sweep, which looks for payloads that nobody needs, and of Lambda, which asks for it before it puts there. */
export function listBucketGrants({ partition }: Pick<Place, 'partition'>, bucket: string): readonly Grant[] {
  return [{ service: 's3', actions: ['ListBucket'], resources: [`arn:${partition}:s3:::${bucket}`] }]
}
