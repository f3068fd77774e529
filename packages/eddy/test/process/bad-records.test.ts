import { describe, expect, it } from 'vitest'
import { until } from '../command/support/real-server.ts'
import { appOf, Workplace } from './support/workplace.ts'

const APP = appOf({ handle: '({ data }) => record(data.n)' })
const MiB = 1024 * 1024

describe('records that cannot be taken', () => {
  it('are named line by line, with the reason, and kept in the failed file; all others are stored', async () => {
    const place = await Workplace.open(APP)
    await place.start()
    const lines = [
      '{"key":"a","n":1}',
      'not json',
      '{"n":2}',
      `{"key":"a","n":3,"padding":"${'x'.repeat(11 * MiB)}"}`,
      `{"key":"${'k'.repeat(300)}","n":4}`,
      '{"key":"a","n":5}',
    ]
    const put = await place.command(
      ['put', 's', '--key', 'key', '--failed', place.path('failed.ndjson'), '--json'],
      `${lines.join('\n')}\n`,
    )
    expect(put.exitCode, put.stderr).toBe(3)
    expect(JSON.parse(put.stdout)).toMatchObject({ sent: 2, failed: 4 })
    const failed = place.lines('failed.ndjson').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(failed.map(({ lineNumber }) => lineNumber).sort()).toEqual([2, 3, 4, 5])
    for (const { code, reason, raw } of failed) {
      expect(code).toMatch(/^EDDY_/)
      expect(String(reason).length).toBeGreaterThan(20)
      expect(lines.some((line) => line.startsWith(String(raw)))).toBe(true)
    }
    await until(() => place.lines('handled').length === 2)
    expect(place.lines('handled').sort()).toEqual(['1', '5'])
  })

  it('go to a stream that is not there: the answer names the stream and the next step; nothing is stored', async () => {
    const place = await Workplace.open(APP)
    await place.start()
    const put = await place.command(['put', 'nowhere', '--key', 'key'], '{"key":"a","n":1}\n')
    expect(put.exitCode).toBe(1)
    expect(put.stderr).toContain('nowhere')
    expect(put.stderr).toContain('eddy streams')
    const answer = await fetch(`${place.server.url}/v1/streams/nowhere/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"key":"a","data":1}',
    })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ code: 'EDDY_STREAM_NOT_FOUND', retryable: false })
    const streams = await place.json<readonly { name: string }[]>('streams', 'list')
    expect(streams.map(({ name }) => name)).toEqual(['s'])
  })
})
