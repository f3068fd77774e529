import type { Engine } from '@eddy/core'

/** Who reads what, as the leases' own rows have it. */
export interface LeaseView {
  /** By shard, a worker's name. */
  readonly owners: ReadonlyMap<string, string>
  /** By shard: when its last reading began, in epoch milliseconds. Epochs are counted by the clock. */
  readonly begunAtMs: ReadonlyMap<string, number>
  /** By name: when it started, in epoch milliseconds. */
  readonly startedAtMs: ReadonlyMap<string, number>
}

interface Row {
  readonly owner?: string
  readonly epoch?: number
  readonly name?: string
  readonly startedAtMs?: number
}

export async function readLeases({ table }: Pick<Engine, 'table'>, stream: string): Promise<LeaseView> {
  const { items } = await table.query({ partition: 'lease', limit: 200 })
  const rows = items.map(({ sort, value }) => ({ sort, row: value as unknown as Row }))
  const workers = rows.filter(({ sort }) => sort.startsWith('worker/'))
  const names = new Map(workers.map(({ sort, row }) => [sort.slice('worker/'.length), row.name ?? '']))
  const prefix = `shard/${stream}/`
  const shards = rows
    .filter(({ sort }) => sort.startsWith(prefix))
    .map(({ sort, row }) => ({ shardId: sort.slice(prefix.length), row }))
  return {
    owners: new Map(
      shards
        .filter(({ row }) => row.owner !== '')
        .map(({ shardId, row }) => [shardId, names.get(row.owner ?? '') ?? (row.owner as string)]),
    ),
    begunAtMs: new Map(shards.map(({ shardId, row }) => [shardId, row.epoch ?? 0])),
    startedAtMs: new Map(workers.map(({ row }) => [row.name ?? '', row.startedAtMs ?? 0])),
  }
}

/** How many shards each worker has, in order of size. */
export function sharesOf({ owners }: LeaseView): readonly number[] {
  const shares = new Map<string, number>()
  for (const owner of owners.values()) shares.set(owner, (shares.get(owner) ?? 0) + 1)
  return [...shares.values()].sort((a, b) => a - b)
}

export function shardsOf({ owners }: LeaseView, worker: string): readonly string[] {
  return [...owners].filter(([, owner]) => owner === worker).map(([shardId]) => shardId)
}
