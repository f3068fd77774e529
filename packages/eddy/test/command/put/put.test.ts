import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { progressText } from '../../../src/command/put/put-report.ts'
import { fakeLog, sequencesOf, streamServer } from '../support/fake-log.ts'
import { type FakeServer, fakeServer, problem } from '../support/fake-server.ts'
import { interruptWith, runCommand } from '../support/run-command.ts'

let folder: string
let server: FakeServer | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eddy-put-'))
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true })
})

const ndjson = (count: number) =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ id: `k${n % 7}`, n })}\n`).join('')

/** Every line of `ndjson(count)` once, and those of a key in the order of the lines. */
function expectEachInOrder(stored: readonly unknown[], count: number): void {
  const lines = Array.from({ length: count }, (_, n) => ({ id: `k${n % 7}`, n }))
  const ofKey = (values: readonly unknown[], key: number) =>
    values.filter((value) => (value as { id: string }).id === `k${key}`)
  for (let key = 0; key < 7; key += 1) expect(ofKey(stored, key)).toEqual(ofKey(lines, key))
  expect(stored).toHaveLength(count)
}

const failedLines = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('eddy put', () => {
  it('sends every line once, in order, in batches, and counts them', async () => {
    const log = fakeLog()
    server = await streamServer((request) => log.append(request))
    const file = join(folder, 'in.ndjson')
    await writeFile(file, ndjson(1_234))
    const { exitCode, stdout, stderr } = await runCommand(['put', 'orders', file, '--key', 'id', '--json'], {
      url: server.url,
    })
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    expectEachInOrder(log.stored, 1_234)
    const sizes = server.requests.map(({ body }) => body.trim().split('\n').length)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
    expect(sizes.length).toBeLessThanOrEqual(10)
    const report = JSON.parse(stdout) as { readonly producerId: string }
    expect(report).toMatchObject({ sent: 1_234, failed: 0, lastLine: 1_234, end: 'done' })
    expect(server.requests[0]?.path).toBe('/v1/streams/orders/records')
    expect(server.requests[0]?.headers['eddy-tries']).toBe('1')
    expect(log.events[41]).toMatchObject({
      id: `${report.producerId}/42`,
      partitionkey: 'k6',
      specversion: '1.0',
    })
  })

  it('says sent, failed, bytes and seconds in its last line', async () => {
    const log = fakeLog()
    server = await streamServer((request) => log.append(request))
    const { stdout } = await runCommand(['put', 'orders', '--key', 'id'], {
      url: server.url,
      stdin: '{"id":"a"}\n',
    })
    expect(stdout).toMatch(/^sent 1, failed 0, 10 bytes, [\d.]+ seconds\n$/)
  })

  it('writes what was refused to the failed file with its line number and reason, and exits 3', async () => {
    const log = fakeLog((value) => ((value as { n?: number }).n === 3 ? 'three is refused' : undefined))
    server = await streamServer((request) => log.append(request))
    const failed = join(folder, 'failed.ndjson')
    const stdin = Buffer.concat([
      Buffer.from('{"id":"a","n":1}\n\nnot json\n{"n":2}\n'),
      Buffer.from([0x22, 0xff, 0xfe, 0x22, 0x0a]),
      Buffer.from('{"id":"c","n":3}\n{"id":"a","n":4}'),
    ])
    const { exitCode, stdout } = await runCommand(['put', 'orders', '-', '--key', 'id', '--failed', failed], {
      url: server.url,
      stdin,
    })
    expect(exitCode).toBe(3)
    expect(stdout).toContain(`sent 2, failed 4 (see ${failed})`)
    expect(log.stored).toEqual([
      { id: 'a', n: 1 },
      { id: 'a', n: 4 },
    ])
    expect((await failedLines(failed)).map(({ lineNumber, reason }) => [lineNumber, reason])).toEqual([
      [3, expect.stringContaining('the line is not JSON')],
      [4, expect.stringContaining('it has no field "id"')],
      [5, 'the line is not valid UTF-8'],
      [6, 'three is refused'],
    ])
    const lines = await failedLines(failed)
    expect(lines[0]?.raw).toBe('not json')
    expect(Buffer.from(String(lines[2]?.rawBase64), 'base64')).toEqual(Buffer.from([0x22, 0xff, 0xfe, 0x22]))
  })

  it('takes the reasons from a request that was refused as a whole', async () => {
    const results = [{ ok: false, code: 'EDDY_SCHEMA_MISMATCH', retryable: false, message: 'off its schema' }]
    server = await streamServer(() =>
      problem(400, 'EDDY_INVALID_REQUEST', 'nothing', { failedCount: 1, results }),
    )
    const failed = join(folder, 'failed.ndjson')
    const argv = ['put', 'orders', '--key', 'id', '--failed', failed]
    const { exitCode } = await runCommand(argv, { url: server.url, stdin: '{"id":1}\n' })
    expect(exitCode).toBe(3)
    expect(await failedLines(failed)).toMatchObject([
      { lineNumber: 1, code: 'EDDY_SCHEMA_MISMATCH', reason: 'off its schema' },
    ])
  })

  it('sends a batch again under the same sequence when the answer was lost, and nothing is doubled (I2)', async () => {
    const log = fakeLog()
    let calls = 0
    server = await streamServer((request) => {
      calls += 1
      const answer = log.append(request)
      if (calls === 2) return 'reset'
      if (calls === 4) return problem(503, 'EDDY_SERVER_BUSY', 'busy', { retryable: true })
      return answer
    })
    const { exitCode } = await runCommand(['put', 'orders', '--key', 'id', '--batch', '100'], {
      url: server.url,
      stdin: ndjson(500),
    })
    expect(exitCode).toBe(0)
    expect(calls).toBeGreaterThanOrEqual(7)
    expectEachInOrder(log.stored, 500)
  })

  it('goes on after the server was down for a while', async () => {
    const log = fakeLog()
    const first = await streamServer((request) => log.append(request))
    const { port } = first
    const input = new Readable({ read() {} })
    input.push(ndjson(100))
    const running = runCommand(['put', 'orders', '--key', 'id', '--batch', '100'], {
      url: `http://127.0.0.1:${port}`,
      stdin: input,
    })
    while (log.stored.length < 100) await new Promise((resolve) => setTimeout(resolve, 5))
    await first.close()
    input.push(ndjson(200))
    input.push(null)
    server = await streamServer((request) => log.append(request), port)
    expect(await running).toMatchObject({ exitCode: 0 })
    expect(log.stored).toHaveLength(300)
  })

  it('sends what a slow pipe has given so far, and a key’s next line when its request in flight is answered', async () => {
    const log = fakeLog()
    const answers: (() => void)[] = []
    const slow = await streamServer(async (request) => {
      await new Promise<void>((resolve) => answers.push(resolve))
      return log.append(request)
    })
    server = slow
    const arrived = async (count: number) => {
      while (slow.requests.length < count) await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const input = new Readable({ read() {} })
    input.push('{"id":"a","n":1}\n')
    const running = runCommand(['put', 'orders', '--key', 'id'], { url: slow.url, stdin: input })
    await arrived(1)
    input.push('{"id":"b","n":2}\n{"id":"a","n":3}\n')
    await arrived(2)
    expect(slow.requests[1]?.body).toContain('"n":2')
    expect(slow.requests[1]?.body).not.toContain('"n":3')
    for (const answer of answers.splice(0)) answer()
    await arrived(3)
    for (const answer of answers.splice(0)) answer()
    input.push(null)
    expect(await running).toMatchObject({ exitCode: 0 })
    expect(log.stored.map((value) => (value as { n: number }).n)).toEqual([1, 2, 3])
  })

  it('begins at --from-line', async () => {
    const log = fakeLog()
    server = await streamServer((request) => log.append(request))
    await runCommand(['put', 'orders', '--key', 'id', '--from-line', '3'], {
      url: server.url,
      stdin: ndjson(4),
    })
    expect(log.stored).toEqual([
      { id: 'k2', n: 2 },
      { id: 'k3', n: 3 },
    ])
    expect(sequencesOf(String(server.requests[0]?.headers['eddy-sequences']))[0]).toBe(3)
  })

  it('sends a record that was refused for now again, and only that one', async () => {
    let throttle = 1
    const log = fakeLog((value) => {
      if ((value as { n: number }).n !== 1 || throttle === 0) return undefined
      throttle -= 1
      return 'throttled'
    })
    server = await streamServer((request) => log.append(request))
    const { exitCode } = await runCommand(['put', 'orders', '--key', 'id'], {
      url: server.url,
      stdin: ndjson(3),
    })
    expect(exitCode).toBe(0)
    expect(log.stored).toEqual([
      { id: 'k0', n: 0 },
      { id: 'k2', n: 2 },
      { id: 'k1', n: 1 },
    ])
    expect(server.requests.at(-1)).toMatchObject({
      body: expect.stringContaining('"data":{"id":"k1","n":1}'),
      headers: { 'eddy-sequences': '2', 'eddy-producer-id': server.requests[0]?.headers['eddy-producer-id'] },
    })
  })

  it('stops on Ctrl-C with 130, says what was accepted, and a second run adds the rest without copies', async () => {
    const log = fakeLog()
    server = await streamServer((request) => log.append(request))
    const interrupt = new AbortController()
    const input = new Readable({ read() {} })
    input.push(ndjson(200))
    const argv = ['put', 'orders', '--key', 'id', '--batch', '100', '--json']
    const running = runCommand(argv, { url: server.url, stdin: input, interrupt })
    while (log.stored.length < 100) await new Promise((resolve) => setTimeout(resolve, 5))
    interruptWith(interrupt)
    const { exitCode, stdout, stderr } = await running
    expect(exitCode).toBe(130)
    const report = JSON.parse(stdout) as { sent: number; lastLine: number; producerId: string }
    expect(report.sent).toBe(report.lastLine)
    expect(stderr).toContain(`--from-line ${report.lastLine + 1} --producer-id ${report.producerId}`)
    // One line too early: what was sent already is recognised.
    const again = [...argv, '--from-line', String(report.lastLine), '--producer-id', report.producerId]
    expect(await runCommand(again, { url: server.url, stdin: ndjson(300) })).toMatchObject({ exitCode: 0 })
    expect(log.stored).toHaveLength(300)
  })

  it('ends with the server’s error when the stream does not exist, and does not read on', async () => {
    server = await streamServer(() => problem(404, 'EDDY_STREAM_NOT_FOUND', 'stream "x" does not exist'))
    const { exitCode, stderr } = await runCommand(['put', 'x', '--key', 'id'], {
      url: server.url,
      stdin: ndjson(5_000),
    })
    expect(exitCode).toBe(1)
    expect(stderr).toBe('eddy: stream "x" does not exist\n')
    expect(server.requests.length).toBeLessThanOrEqual(8)
  })

  it('writes no failed file when it is the stream that is missing', async () => {
    server = await fakeServer(() => problem(404, 'EDDY_STREAM_NOT_FOUND', 'stream "x" does not exist'))
    const file = join(folder, 'in.ndjson')
    const failed = join(folder, 'failed.ndjson')
    await writeFile(file, ndjson(3))
    const argv = ['put', 'x', file, '--key', 'id', '--failed', failed, '--json']
    const { exitCode, stdout } = await runCommand(argv, { url: server.url })
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ sent: 0, failed: 0, lastLine: 0, end: 'failed' })
    expect(await readFile(failed, 'utf8')).toBe('')
  })

  it('exits 4 when no server can be reached for as long as it was told to try', async () => {
    const gone = await fakeServer(() => undefined)
    await gone.close()
    const argv = ['put', 'orders', '--key', 'id', '--give-up-after', '1ms']
    const { exitCode, stderr } = await runCommand(argv, { url: gone.url, stdin: ndjson(1) })
    expect(exitCode).toBe(4)
    expect(stderr).toContain('ECONNREFUSED')
    expect(stderr).not.toContain('--from-line')
  })

  it('says how to go on without copies when the only request got no answer', async () => {
    server = await streamServer(() => 'reset')
    const argv = ['put', 'orders', '--key', 'id', '--give-up-after', '1ms']
    const { exitCode, stderr } = await runCommand(argv, { url: server.url, stdin: ndjson(1) })
    expect(exitCode).toBe(4)
    expect(stderr).toContain('--from-line 1 --producer-id')
  })

  it('sends nothing more at --deadline, exits 3, and a second run adds the rest without copies', async () => {
    let isOpen = false
    const log = fakeLog((value) => (isOpen || (value as { n: number }).n < 50 ? undefined : 'throttled'))
    server = await streamServer((request) => log.append(request))
    const argv = ['put', 'orders', '--key', 'id', '--json']
    const first = await runCommand([...argv, '--deadline', '300ms'], { url: server.url, stdin: ndjson(200) })
    expect(first.exitCode).toBe(3)
    const report = JSON.parse(first.stdout) as { lastLine: number; producerId: string }
    expect(report).toMatchObject({ sent: 50, failed: 0, lastLine: 50, end: 'deadline' })
    expect(first.stderr).toContain(`--from-line 51 --producer-id ${report.producerId}`)
    expect(first.stderr).toContain('the deadline of 300ms is over')
    isOpen = true
    const again = [...argv, '--from-line', '40', '--producer-id', report.producerId]
    expect(await runCommand(again, { url: server.url, stdin: ndjson(200) })).toMatchObject({ exitCode: 0 })
    expectEachInOrder(log.stored, 200)
  })

  it.each([
    ['the deadline', 3, 'deadline'],
    ['Ctrl-C', 130, 'interrupted'],
  ] as const)('is ended by %s, not failed, when an answer is lost at that time', async (what, code, end) => {
    const interrupt = new AbortController()
    server = await streamServer(() => {
      if (what === 'Ctrl-C') interruptWith(interrupt)
      return 'reset'
    })
    const deadline = what === 'Ctrl-C' ? [] : ['--deadline', '300ms']
    const argv = ['put', 'orders', '--key', 'id', '--json', ...deadline]
    const { exitCode, stdout, stderr } = await runCommand(argv, {
      url: server.url,
      stdin: ndjson(20),
      interrupt,
    })
    expect(exitCode, stderr).toBe(code)
    expect(JSON.parse(stdout)).toMatchObject({ sent: 0, failed: 0, lastLine: 0, end })
    expect(stderr).toContain('--from-line 1 --producer-id')
  })

  it('refuses an address, a region and an ordering that are none', async () => {
    for (const argv of [
      ['--aws-endpoint', '127.0.0.1:4566'],
      ['--aws-endpoint', 'http://user:secret@127.0.0.1:4566'],
      ['--region', 'eu-west-1'],
      ['--ordering', 'random'],
      ['--deadline', 'soon'],
    ]) {
      const { exitCode, stderr } = await runCommand(['put', 'orders', '--key', 'id', ...argv], { stdin: '' })
      expect(exitCode, argv.join(' ')).toBe(2)
      expect(stderr, argv.join(' ')).toContain(argv[0])
      expect(stderr).not.toContain('secret')
    }
  })

  it('names the option when a failed file cannot be written, or a producer id is none', async () => {
    for (const [option, value] of [
      ['--failed', join(folder, 'none', 'failed.ndjson')],
      ['--producer-id', ''],
      ['--producer-id', 'x'.repeat(129)],
    ] as const) {
      const { exitCode, stdout, stderr } = await runCommand(['put', 'orders', '--key', 'id', option, value])
      expect([exitCode, stdout]).toEqual([2, ''])
      expect(stderr).toMatch(new RegExp(`^eddy: ${option}: `))
    }
  })

  it('shows on a terminal how much of the file is settled, not how much was read', async () => {
    const log = fakeLog()
    server = await streamServer((request) => log.append(request))
    const file = join(folder, 'in.ndjson')
    await writeFile(file, ndjson(1_000))
    const argv = ['put', 'orders', file, '--key', 'id', '--batch', '10']
    const { stderr } = await runCommand(argv, { url: server.url, answers: [] })
    const drawn = [...stderr.matchAll(/([\d.]+) % {2}([\d,]+) sent /g)]
    expect(drawn.length).toBeGreaterThan(0)
    // Later lines are a little longer.
    for (const [text, percent, sent] of drawn)
      expect(Math.abs(Number(percent) - Number(sent?.replace(',', '')) / 10), text).toBeLessThan(5)
  })

  it('says how long it will take once a second has passed, in 80 columns however long the file is', () => {
    const counts = { sent: 123_456_789, failed: 12_345, bytes: 0, doneBytes: 2 ** 40, settledLine: 0 }
    expect(progressText(counts, 0.5, 2 ** 41)).not.toContain('left')
    expect(progressText(counts, 3_600, 2 ** 41)).toMatch(
      /^\[#{5}-{5}\] {2}50\.0 % .* of 2\.0 TiB {2}1 h left$/,
    )
    expect(progressText({ ...counts, failed: 0 }, 3_600, 2 ** 41).length).toBeLessThan(80)
  })

  it('refuses to empty its own input, a folder and a missing file', async () => {
    const file = join(folder, 'in.ndjson')
    await writeFile(file, ndjson(1))
    for (const argv of [
      ['put', 'orders', file, '--key', 'id', '--failed', file],
      ['put', 'orders', folder, '--key', 'id'],
      ['put', 'orders', join(folder, 'none'), '--key', 'id'],
      ['put', 'orders', file],
      ['put', 'orders', file, '--key', 'id', '--batch', '0'],
    ]) {
      expect(await runCommand(argv), argv.join(' ')).toMatchObject({ exitCode: 2 })
    }
    expect(await readFile(file, 'utf8')).toBe(ndjson(1))
  })
})
