/**
 * How much is played: a little in `npm test`, always the same; as much as EDDY_FUZZ_RUNS says in `npm run fuzz:aws`,
 * which draws a seed and prints it. EDDY_FUZZ_SEED plays one again.
 */
const long = process.env.EDDY_FUZZ_RUNS

export const SEED: number = Number(
  process.env.EDDY_FUZZ_SEED ?? (long === undefined ? 4 : Date.now() % 2 ** 31),
)

export function runs(ofShortRun: number): number {
  return long === undefined ? ofShortRun : Number(long)
}

if (long !== undefined) console.log(`EDDY_FUZZ_SEED=${SEED}`)
