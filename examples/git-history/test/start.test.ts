import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeRepository } from './make-repository.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const START = fileURLToPath(new URL('../dist/start.js', import.meta.url))
const CHECK = fileURLToPath(new URL('../dist/check.js', import.meta.url))

function launch(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_ENV: 'production', ...env } })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, output }))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, ended, output: () => output }
}

const run = (args: readonly string[], env?: NodeJS.ProcessEnv) => launch(args, env).ended

async function waitFor(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 3_000 && !isTrue(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(isTrue()).toBe(true)
}

describe('npm start', { timeout: 90_000 }, () => {
  it('counts a repository once, however often it is started, and goes on with new commits', async () => {
    const parent = temporaryDirectory()
    const { directory, changes } = makeRepository(parent, 800)
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' }).trim()
    const head = git('rev-parse', 'main')
    // First without its last commits.
    git('update-ref', 'refs/heads/main', git('rev-list', '--first-parent', '--skip=5', '-n1', 'main'))
    const args = [START, directory, '--data', join(parent, 'data'), '--port', '0', '--once']
    const first = await run(args)
    expect(first.output).toContain('Check: EQUAL.')
    expect(first.output).toContain('paths also by git rev-list')
    expect(first.code).toBe(0)

    const second = await run(args)
    expect(second.output).toContain('Nothing new to read.')
    expect(second.output).toContain('Check: EQUAL.')

    git('update-ref', 'refs/heads/main', head)
    const third = await run(args)
    expect(third.output).toContain('Going on from there; nothing is counted twice.')
    expect(third.output).toContain(`Check: EQUAL. ${changes} changes`)
    const check = await run([CHECK, directory, '--data', join(parent, 'data')])
    expect(check).toMatchObject({ code: 0 })
  })

  it('goes on after kill -9 in the middle of the first reading', async () => {
    const parent = temporaryDirectory()
    const { directory, changes } = makeRepository(parent, 2_000)
    const args = [START, directory, '--data', join(parent, 'data'), '--port', '0', '--once']
    const killed = launch(args, { EDDY_ACTIVITY_FILE: join(parent, 'activity.json') })
    await waitFor(() => killed.output().includes('eddy listens'))
    killed.child.kill('SIGKILL')
    await killed.ended
    const again = await run(args)
    expect(again.output).toContain(`Check: EQUAL. ${changes} changes`)
    expect(again.code).toBe(0)
  })

  it('says that a history is generated where there is no repository; refuses it for another one, and an unknown option', async () => {
    const parent = temporaryDirectory()
    const data = join(parent, 'data')
    const { code, output } = await run([START, parent, '--data', data, '--port', '0', '--once'])
    expect(output).toContain('this is a GENERATED history')
    expect(output).toContain('Check: EQUAL.')
    expect(code).toBe(0)
    const { directory } = makeRepository(parent, 50)
    const foreign = await run([START, directory, '--data', data, '--port', '0', '--once'])
    expect(foreign).toMatchObject({ code: 1 })
    expect(foreign.output).toContain('Choose another folder with --data')
    expect(await run([START, '--dta', data])).toMatchObject({ code: 2 })
  })

  it('takes the next port when one is taken, and keeps serving until it is stopped', async () => {
    const parent = temporaryDirectory()
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const { port } = other.address() as AddressInfo
    const started = launch([START, parent, '--data', join(parent, 'data'), '--port', String(port)])
    await waitFor(() => started.output().includes('Ctrl-C stops it.'))
    expect(started.output()).toContain(`port ${port} is taken, trying ${port + 1}`)
    const url = /eddy listens on (\S+)/.exec(started.output())?.[1]
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    started.child.kill('SIGINT')
    expect(await started.ended).toMatchObject({ code: 0 })
  })
})
