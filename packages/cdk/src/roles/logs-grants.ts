import type { Grant } from './grant.ts'

/** @param logGroupArn - as CloudFormation gives it, with the streams of the group */
export function logGrants(logGroupArn: string): readonly Grant[] {
  return [{ service: 'logs', actions: ['CreateLogStream', 'PutLogEvents'], resources: [logGroupArn] }]
}
