import { arn, type Grant, type Place } from './grant.ts'

/** Ledger, holds, checkpoints, steps, leases: each is a single item of the one table. */
export function tableGrants(place: Place, table: string): readonly Grant[] {
  const tableArn = arn(place, 'dynamodb', `table/${table}`)
  return [
    {
      service: 'dynamodb',
      actions: ['BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'],
      resources: [tableArn],
    },
    { service: 'dynamodb', actions: ['Query'], resources: [`${tableArn}/index/by-index`] },
  ]
}
