export interface Settings {
  /** `DATA_DIR`; default `.eddy/claps`. The counts are in its folder `counts`. */
  readonly dataDirectory: string
  /** `FAIL_RATE`: share of attempts that fail at random, 0 to 0.9; default 0. */
  readonly failRate: number
  /** `SLOW_MS`: how long a handler takes at most before it counts, and again after it; default 0, at most 10,000. */
  readonly slowMs: number
  /** `IN_FLIGHT_FILE`: where a process keeps how many handlers are at work in it, for tests. */
  readonly inFlightFile?: string
}

/** @throws Error that names the variable, what it may be and what came */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const inFlightFile = env.IN_FLIGHT_FILE
  return {
    dataDirectory: env.DATA_DIR ?? '.eddy/claps',
    failRate: numberOf(env, 'FAIL_RATE', 0.9),
    slowMs: numberOf(env, 'SLOW_MS', 10_000),
    ...(inFlightFile === undefined ? {} : { inFlightFile }),
  }
}

function numberOf(env: NodeJS.ProcessEnv, name: string, max: number): number {
  const value = Number(env[name] ?? '0')
  if (value >= 0 && value <= max) return value
  throw new Error(`${name} must be 0 to ${max}, not ${JSON.stringify(env[name])}`)
}
