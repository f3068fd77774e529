import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEnvironment } from '../../src/store/environment.ts'
import { MAIN_MAPS } from '../../src/store/map-names.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

interface Stats {
  readonly lastTxnId: number
  readonly entryCount: number
}

for (const sync of ['fsync', 'later'] as const) {
  test(`the maps of a new store are made in one commit, and are no commit of the next one (${sync})`, async () => {
    const path = join(await temporaryFolder(), 'store')
    const first = openEnvironment({ path, readOnly: false, sync, maps: MAIN_MAPS })
    expect(first.root.getStats() as Stats).toMatchObject({ lastTxnId: 1, entryCount: MAIN_MAPS.length })
    first.openMap('streams').putSync(Buffer.from('key'), Buffer.from('value'))
    await first.close()

    const second = openEnvironment({ path, readOnly: false, sync, maps: MAIN_MAPS })
    expect(second.root.getStats() as Stats).toMatchObject({ lastTxnId: 2, entryCount: MAIN_MAPS.length })
    expect(second.openMap('streams').get(Buffer.from('key'))).toEqual(Buffer.from('value'))
    await second.close()

    const reader = openEnvironment({ path, readOnly: true, sync, maps: MAIN_MAPS })
    expect(reader.openMap('streams').get(Buffer.from('key'))).toEqual(Buffer.from('value'))
    await reader.close()
  })
}
