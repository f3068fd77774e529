import { expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, numbered, Workplace } from './support/workplace.ts'

const EVENTS = 6_000
const KEYS = 40

/** A key's event that is divisible by 50 fails until the file `mended` is there: its key is held. */
const APP = appOf({
  failure: `{ blocks: 'key', exhausted: 'hold', retry: fixed({ delayMs: 20, maxAttempts: 5 }) }`,
  more: 'concurrency: 32, ',
  handle: `async ({ data }, ctx) => {
    await sleep(1)
    if (data.n % 50 === 7 && ctx.attempt < 3) throw new Error('fails twice')
    if (data.n % 1000 === 10 && !existsSync('mended')) throw new Error('fails until mended')
    appendFileSync(existsSync('copy') ? 'handled-by-copy' : 'handled', data.key + ' ' + data.n + '\\n')
  }`,
})

const numbersIn = (lines: readonly string[]) => new Set(lines.map((line) => Number(line.split(' ')[1])))

it('a backup taken under load opens, and log, ledger, holds and checkpoints of it agree: nothing is lost (I2, I3)', async () => {
  const place = await Workplace.open(APP)
  await place.start()
  const put = place.spawn('put', 's', '--key', 'key', '--batch', '50', '--json')
  put.child.stdin?.end(numbered(0, EVENTS, KEYS))
  await until(() => place.lines('handled').length > 500)
  const backup = await place.run(['backup', 'copied'])
  expect(backup.exitCode, backup.stderr).toBe(0)
  const handledSoFar = place.lines('handled')
  expect(await put.exited, put.stderr()).toBe(0)
  await place.kill()
  const restored = await place.run(['restore', 'copied', 'restored'])
  expect(restored.exitCode, restored.stderr).toBe(0)

  await place.write('copy', '')
  await place.write('mended', '')
  await place.start('--data', 'restored')
  // What was parked in the copy waits for a person there, too.
  await until(async () => {
    const { lagRecords, retrying, inFlight } = await place.subscription('sub')
    return lagRecords === 0 && retrying === 0 && inFlight === 0
  })
  if ((await place.subscription('sub')).held > 0) {
    const redrive = await place.command(['failures', 'redrive', '--status', 'held', '--yes'])
    expect([0, 3], redrive.stderr).toContain(redrive.exitCode)
  }
  await until(async () => (await place.subscription('sub')).held === 0)
  const { stdout } = await place.command(['tail', 's', '--from', 'trim_horizon', '--no-follow'])
  const stored = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { event: { data: { n: number } } }).event.data.n)
  // Every record of the copy was handled: before it was taken, or by it.
  const handled = numbersIn([...handledSoFar, ...place.lines('handled-by-copy')])
  expect(stored.filter((n) => !handled.has(n))).toEqual([])
  expect(stored.length).toBeGreaterThan(500)
  // In the order of each key.
  const last = new Map<string, number>()
  for (const line of place.lines('handled-by-copy')) {
    const [key = '', n] = line.split(' ')
    expect(Number(n)).toBeGreaterThan(last.get(key) ?? -1)
    last.set(key, Number(n))
  }
  expect(await place.stop()).toBe(0)
})
