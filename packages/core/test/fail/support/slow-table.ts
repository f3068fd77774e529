import type { ItemKey, QueryPage, QueryRequest, TableItem, TableValue } from '../../../src/ports/table.ts'
import { MemoryTable } from '../../operate/support/memory-table.ts'

/** A table whose next look at a partition is answered late: with what stood there before something else happened. */
export class SlowTable extends MemoryTable {
  /** Happens once, between the look and its answer. */
  meanwhile: { readonly partition: string; readonly happens: () => Promise<unknown> } | undefined

  override async get<V extends TableValue>(key: ItemKey): Promise<TableItem<V> | undefined> {
    const seen = await super.get<V>(key)
    await this.#late(key.partition)
    return seen
  }

  override async query<V extends TableValue>(request: QueryRequest): Promise<QueryPage<V>> {
    const seen = await super.query<V>(request)
    await this.#late(request.partition)
    return seen
  }

  async #late(partition: string): Promise<void> {
    const { meanwhile } = this
    if (meanwhile?.partition !== partition) return
    this.meanwhile = undefined
    await meanwhile.happens()
  }
}
