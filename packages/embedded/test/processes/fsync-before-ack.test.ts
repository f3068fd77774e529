import { spawn, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'

const PROGRAM = fileURLToPath(new URL('../support/append-forever.mjs', import.meta.url))
const hasStrace = spawnSync('strace', ['-V']).status === 0

test('I1: no append is acknowledged before the flush that covers it', async ({ skip }) => {
  if (!hasStrace) skip('strace is not installed; install it to run this test')
  const folder = await temporaryFolder()
  const trace = join(folder, 'trace')
  const calls = 'trace=openat,pwrite64,pwritev,writev,write,fdatasync'
  const child = spawn(
    'strace',
    ['-f', '-y', '-e', calls, '-o', trace, process.execPath, PROGRAM, join(folder, 'data'), 'fsync', 'a'],
    { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
  )
  let acks = 0
  await new Promise<void>((resolve) => {
    child.on('exit', () => resolve())
    child.stdout.on('data', (part: Buffer) => {
      acks += part.toString().split('\n').length - 1
      // The group is strace and what it traces.
      if (acks > 200) process.kill(-(child.pid as number), 'SIGKILL')
    })
  })
  const { covered, early } = checkOrder(await readFile(trace, 'utf8'))
  expect(early).toEqual([])
  expect(covered).toBeGreaterThan(20)
})

/**
 * One writer appends one call after the other, so what an acknowledgement stands for was written after the one before.
 * Between two of them there must be a finished flush of the records, and after it a finished write of LMDB's meta page
 * (through the descriptor opened with O_DSYNC), with no record written in between.
 */
function checkOrder(trace: string): { covered: number; early: string[] } {
  const early: string[] = []
  let covered = 0
  let metaFd = ''
  let isFlushed = false
  let isCommitted = false
  const unfinished = new Map<string, 'flush' | 'commit'>()
  const finish = (what: 'flush' | 'commit' | undefined): void => {
    if (what === 'flush') isFlushed = true
    if (what === 'commit' && isFlushed) isCommitted = true
  }
  for (const line of trace.split('\n')) {
    const pid = line.split(' ', 1)[0] as string
    const opened = /O_DSYNC.* = (\d+)<.*store\/data\.mdb>/.exec(line)
    const call = /^\d+ +(\w+)\((\d+)<[^>]*>/.exec(line)
    if (opened !== null) metaFd = opened[1] as string
    if (/<\.\.\. (fdatasync|pwrite64) resumed>/.test(line)) finish(unfinished.get(pid))
    if (call === null) continue
    const [, name, fd] = call
    if (name === 'write' && fd === '1') {
      if (isCommitted) covered++
      else early.push(line)
      isFlushed = false
      isCommitted = false
    } else if (line.includes('store/data.mdb')) {
      const what = name === 'fdatasync' ? 'flush' : fd === metaFd ? 'commit' : undefined
      if (what === undefined) isFlushed = false
      else if (line.includes('<unfinished')) unfinished.set(pid, what)
      else finish(what)
    }
  }
  return { covered, early }
}
