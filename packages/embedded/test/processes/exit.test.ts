import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openEngine, readAll } from '../support/open-engine.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const PROGRAM = fileURLToPath(new URL('../support/exit-while-committing.mjs', import.meta.url))
/** A process that hangs is ended with another signal than the one it would end itself with. */
const HANGS_MS = 60_000

async function exitWhileCommitting(how: 'now' | 'halt') {
  const dataDir = join(await temporaryFolder(), 'data')
  const child = spawn(process.execPath, [PROGRAM, dataDir, how], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: HANGS_MS,
    killSignal: 'SIGTERM',
  })
  let output = ''
  child.stdout.on('data', (part: Buffer) => {
    output += part.toString()
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  expect(output).toBe('acknowledged\nexits\n')
  const engine = await openEngine({ dataDir })
  const records = await readAll(engine.log, 'orders', 'shardId-000000000000')
  return { code, signal, stored: records.map(({ data }) => Buffer.from(data).toString()) }
}

test('a process that exits while a commit waits for it ends all the same, as by kill -9, and loses nothing acknowledged (I1)', async () => {
  const { signal, stored } = await exitWhileCommitting('now')
  expect(signal).toBe('SIGKILL')
  expect(stored[0]).toBe('acknowledged')
})

test('after haltCommits it keeps its exit code, and what was under way is stored', async () => {
  const { code, stored } = await exitWhileCommitting('halt')
  expect(code).toBe(7)
  expect(stored).toEqual(['acknowledged', 'under way'])
})
