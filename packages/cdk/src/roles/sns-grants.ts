import type { Grant } from './grant.ts'

/** Notices: dead letters, held keys, retention coming near. */
export function publishGrants(topicArn: string): readonly Grant[] {
  return [{ service: 'sns', actions: ['Publish'], resources: [topicArn] }]
}
