import { execFile } from 'node:child_process'
import { join } from 'node:path'

const MAIN = join('packages', 'testing', 'dist', 'simulation', 'main.js')
/** Small batches first: most mutations fall to one of the first seeds. */
const BATCHES = [20, 20, 20, 60, 60, 60]
const LATER_BATCH = 120
const PARALLEL = 3
/** A mutation may spin without ever coming back to the clock, which nothing inside the process can stop. */
const STALL_MS = 60_000
const MS_PER_SEED = 2_000

/**
 * Plays seeds 1 to `seeds` on the build in a folder until one breaks.
 * @param {<T>(work: () => Promise<T>) => Promise<T>} inTurn - bounds how many processes run
 * @returns {Promise<{ seed: number, played: number, invariant: string, message: string } | undefined>} the lowest seed that broke
 */
export async function play(folder, seeds, inTurn) {
  let from = 1
  for (let round = 0; from <= seeds; round += 1) {
    const batches = []
    for (let index = 0; index < PARALLEL && from <= seeds; index += 1) {
      const count = Math.min(BATCHES[round * PARALLEL + index] ?? LATER_BATCH, seeds - from + 1)
      batches.push({ from, count })
      from += count
    }
    const ends = await Promise.all(batches.map((batch) => inTurn(() => playBatch(folder, batch))))
    const broken = ends.find((end) => end !== undefined)
    if (broken !== undefined) return broken
  }
  return undefined
}

function playBatch(folder, { from, count }) {
  const args = ['--max-old-space-size=1024', MAIN, '--from', String(from), '--count', String(count)]
  const options = { cwd: folder, timeout: STALL_MS + count * MS_PER_SEED, maxBuffer: 2 ** 26 }
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (stdout.startsWith('{')) {
        const [first] = JSON.parse(stdout).failures
        return resolve(first === undefined ? undefined : { ...first, played: first.seed })
      }
      // Ended from outside: that says nothing about the code.
      if (error?.signal === 'SIGTERM' && !error.killed) return reject(new Error('its process was ended'))
      const message = error?.killed === true ? 'it never comes back' : lastLine(stderr)
      resolve({ seed: from, played: from + count - 1, invariant: 'crash', message })
    })
  })
}

/** Runs a test file on the sources in a folder: for what no seed reaches. */
export function runTest(folder, file) {
  const args = [join(folder, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', folder, file]
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      args,
      { cwd: folder, timeout: 2 * STALL_MS, maxBuffer: 2 ** 26, env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        if (error === null) return resolve(undefined)
        const failed = `${stdout}\n${stderr}`.split('\n').find((text) => text.includes('FAIL'))
        // A file that was not found, or tests that could not be run, say nothing about the code.
        if (failed === undefined && !error.killed)
          return reject(new Error(`${file} was not run: ${lastLine(stderr)}`))
        const title = failed?.split(' > ').slice(1).join(', ') ?? 'it never comes back'
        resolve({ seed: '', invariant: 'test', message: `${file}: ${title}` })
      },
    )
  })
}

function lastLine(text) {
  return text.trim().split('\n').at(-1) ?? ''
}
