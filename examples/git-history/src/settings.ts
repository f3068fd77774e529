import type { Blocks } from 'eddy'
import { DEFAULT_DATA_DIRECTORY } from './places.ts'

export interface Settings {
  /** `EDDY_EXAMPLE_DIR`; default `.eddy/git-history`. */
  readonly dataDirectory: string
  /** `EDDY_BLOCKS`: nothing, key or shard; default key. */
  readonly blocks: Blocks
  /** `EDDY_FAIL_RATE`: share of attempts that fail at random, 0 to 0.9; default 0. */
  readonly failRate: number
  /** `EDDY_ACTIVITY_FILE`: where the handler keeps what it is doing, for tests. */
  readonly activityFile?: string
}

/** @throws Error that names the variable, what it may be and what came */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const blocks = env.EDDY_BLOCKS ?? 'key'
  if (blocks !== 'nothing' && blocks !== 'key' && blocks !== 'shard') {
    throw new Error(`EDDY_BLOCKS must be nothing, key or shard, not ${JSON.stringify(blocks)}`)
  }
  const failRate = Number(env.EDDY_FAIL_RATE ?? '0')
  if (!(failRate >= 0 && failRate <= 0.9)) {
    throw new Error(`EDDY_FAIL_RATE must be 0 to 0.9, not ${JSON.stringify(env.EDDY_FAIL_RATE)}`)
  }
  const activityFile = env.EDDY_ACTIVITY_FILE
  return {
    dataDirectory: env.EDDY_EXAMPLE_DIR ?? DEFAULT_DATA_DIRECTORY,
    blocks,
    failRate,
    ...(activityFile === undefined ? {} : { activityFile }),
  }
}
