import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textOf } from './support/repository.ts'

const EDDY = fileURLToPath(new URL('../packages/eddy', import.meta.url))
const started: ChildProcess[] = []
let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'eddy-guide-'))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(EDDY, join(directory, 'node_modules', 'eddy'))
  const programs = [...textOf('docs/guides/embedding.md').matchAll(/```js\n([\s\S]*?)```/g)]
  for (const [index, [, program = '']] of programs.entries())
    writeFileSync(join(directory, `program-${index}.mjs`), program)
  const [, batches = ''] = /```js\n([\s\S]*?)```/.exec(textOf('docs/guides/batches.md')) ?? []
  writeFileSync(join(directory, 'program-batches.mjs'), batches)
})

afterAll(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

describe('docs/guides/embedding.md', () => {
  it('the program that opens Eddy handles what it appends and ends well', { timeout: 60_000 }, async () => {
    const child = program(0, join(directory, 'data'))
    await printed(child, /o-1 of ann, attempt 1\n[\s\S]*o-2 of ann, attempt 1\n/)
    expect(child.text).toContain('0 dead letters so far')
    child.process.kill('SIGTERM')
    expect(await child.ended).toBe(0)
  })

  it('the program that connects stores an event', { timeout: 60_000 }, async () => {
    const server = start(
      join(EDDY, 'bin/eddy.js'),
      'start',
      '--data',
      join(directory, 'served'),
      '--port',
      '0',
    )
    const [, url = ''] = await printed(server, /eddy listens on (\S+)\n/)
    const created = start(join(EDDY, 'bin/eddy.js'), '--url', url, 'streams', 'create', 'orders')
    expect(await created.ended).toBe(0)
    const child = program(1, url)
    expect(await child.ended).toBe(0)
    expect(child.text).toContain('stored in shardId-000000000000')
    server.process.kill('SIGTERM')
    expect(await server.ended).toBe(0)
  })
})

describe('docs/guides/batches.md', () => {
  it('what stands behind a failed event of its key comes again, in a batch of its own', {
    timeout: 60_000,
  }, async () => {
    const child = start(join(directory, 'program-batches.mjs'), join(directory, 'batches'))
    await printed(child, /^a batch of o-1, o-2, o-3, o-4\na batch of o-3\n/)
    child.process.kill('SIGTERM')
    expect(await child.ended).toBe(0)
  })
})

interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<number | null>
  text: string
}

function program(index: number, argument: string): Running {
  return start(join(directory, `program-${index}.mjs`), argument)
}

function start(file: string, ...args: string[]): Running {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started.push(child)
  const running: Running = {
    process: child,
    ended: new Promise((resolve) => child.once('close', resolve)),
    text: '',
  }
  const onOutput = (chunk: Buffer): void => {
    running.text += chunk
  }
  child.stdout.on('data', onOutput)
  child.stderr.on('data', onOutput)
  return running
}

/** Resolves with the match once the output has it; rejects when the process ends without. */
function printed(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(running.text)
      if (match !== null) resolve(match)
    }
    running.process.stdout?.on('data', look)
    running.process.stderr?.on('data', look)
    void running.ended.then(() => reject(new Error(`it ended with: ${running.text}`)))
    look()
  })
}
