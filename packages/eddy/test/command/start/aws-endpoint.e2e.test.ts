import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RealProcess, startEddy } from '../support/real-server.ts'
import { runCommand } from '../support/run-command.ts'

let cwd: string
const running: RealProcess[] = []
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'eddy-aws-'))
})
afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill('SIGKILL')
    await exited
  }
  await rm(cwd, { recursive: true })
})

const APP = `
import { defineApp, stream, subscribe } from 'eddy'
const s = stream('s', { shards: 1 })
export default defineApp({ subscriptions: [subscribe('sub', s, { handle: () => {} })] })
`

async function start(...argv: string[]) {
  await writeFile(join(cwd, 'app.ts'), APP)
  const started = await startEddy(
    ['app.ts', '--data', 'data', '--port', '0', '--aws-port', '0', ...argv],
    cwd,
  )
  running.push(started)
  const { awsUrl } = JSON.parse(started.stdout()) as { awsUrl: string }
  return { ...started, awsUrl }
}

async function kinesis(url: string, operation: string, input: object) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Kinesis_20131202.${operation}`,
    },
    body: JSON.stringify(input),
  })
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
}

describe('eddy start --aws-port', () => {
  it('serves the streams of the application; subscriptions see a split made there at once; SIGTERM and kill -9 lose nothing', async () => {
    const first = await start('--aws-instant')
    const put = { StreamName: 's', PartitionKey: 'k', Data: Buffer.from('{"n":1}').toString('base64') }
    expect((await kinesis(first.awsUrl, 'PutRecord', put)).status).toBe(200)
    const split = { StreamName: 's', ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '9' }
    expect(await kinesis(first.awsUrl, 'SplitShard', split)).toEqual({ status: 200, body: {} })
    const { stdout } = await runCommand(['streams', 'show', 's', '--json'], { url: first.url })
    expect(JSON.parse(stdout).shards).toHaveLength(3)
    const status = await runCommand(['subscriptions', 'show', 'sub', '--json'], { url: first.url })
    expect(JSON.parse(status.stdout).shards).toHaveLength(3)
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)

    const second = await start()
    expect((await kinesis(second.awsUrl, 'CreateStream', { StreamName: 'made', ShardCount: 1 })).status).toBe(
      200,
    )
    second.child.kill('SIGKILL')
    await second.exited

    const third = await start('--read-only')
    const streams = await kinesis(third.awsUrl, 'ListStreams', {})
    expect(streams.body.StreamNames).toEqual(['made', 's'])
    expect(await kinesis(third.awsUrl, 'PutRecord', put)).toMatchObject({
      status: 400,
      body: { __type: 'AccessDeniedException', message: expect.stringContaining('--read-only') },
    })
  })

  it('refuses to listen beyond this machine without credentials, and frees what it had opened', async () => {
    const data = join(cwd, 'data')
    const argv = [
      'start',
      '--data',
      data,
      '--port',
      '0',
      '--host',
      '0.0.0.0',
      '--token',
      't',
      '--aws-port',
      '0',
    ]
    const refused = await runCommand(argv, {})
    expect(refused.exitCode).toBe(4)
    expect(refused.stderr).toContain('EDDY_AWS_ACCESS_KEY_ID')
    expect((await runCommand(argv, {})).exitCode).toBe(4)
  })

  it('names what is wrong with an option', async () => {
    const port = await runCommand(['start', '--aws-port', '70000'], {})
    expect([port.exitCode, port.stderr]).toEqual([2, expect.stringContaining('--aws-port')])
    const argv = ['start', '--data', join(cwd, 'data'), '--port', '0', '--aws-port', '0']
    const region = await runCommand([...argv, '--aws-region', 'Mars!'], {})
    expect([region.exitCode, region.stderr]).toEqual([4, expect.stringContaining('--aws-region')])
    const file = await runCommand([...argv, '--aws-credentials', join(cwd, 'none')], {})
    expect([file.exitCode, file.stderr]).toEqual([4, expect.stringContaining('--aws-credentials')])
    for (const alone of [['--aws-instant'], ['--aws-credentials', 'pairs']]) {
      const refused = await runCommand(['start', '--data', join(cwd, 'none'), ...alone], {})
      expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--aws-port') })
      expect(refused.stderr).toContain(alone[0])
    }
  })
})
