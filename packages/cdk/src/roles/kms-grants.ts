import type { Grant } from './grant.ts'

/** The services encrypt with it on behalf of whoever calls them. */
export function keyGrants(keyArn: string): readonly Grant[] {
  return [{ service: 'kms', actions: ['Decrypt', 'GenerateDataKey'], resources: [keyArn] }]
}
