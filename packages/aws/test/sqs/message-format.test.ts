import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPlainText, readMessage, writeMessage } from '../../src/sqs/message-format.ts'
import { queuePrefix, scheduleName, timerPrefix } from '../../src/sqs/timer-names.ts'

const HEADER = { id: 'm-1', seq: '1', at: 1, as: 'text' } as const

describe('Messages of SQS', () => {
  it('are read as they were written, whatever the group, the timer and the content', () => {
    const any = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(any, any, any, fc.nat(), (group, timer, content, due) => {
        const wire = { header: { ...HEADER, group, timer, due }, content }
        const text = writeMessage(wire)
        expect(readMessage(text)).toEqual(wire)
        // The header is what SQS carries, and nothing that the scheduler fills in.
        expect(isPlainText(text.slice(0, text.length - content.length))).toBe(true)
      }),
    )
  })

  it('of others are theirs', () => {
    const texts = [
      '',
      'eddy/1 ',
      'eddy/1 {}\n',
      'eddy/1 {"id":1,"seq":"1","at":1,"as":"text"}\nx',
      'eddy/1 null\nx',
    ]
    for (const text of texts) expect(readMessage(text)).toBeUndefined()
    expect(readMessage('eddy/1 {"id":"a","seq":"x","at":1,"as":"text"}\nx')).toBeUndefined()
    expect(readMessage('eddy/1 {"id":"a","seq":"1","at":1,"due":"now","as":"text"}\nx')).toBeUndefined()
  })

  it('carry every character that XML 1.0 has a place for, and no other', () => {
    for (const text of ['\t\n\r', '~\u007f\ud7ff', '\ue000\ufffd', '😀'])
      expect([text, isPlainText(text)]).toEqual([text, true])
    for (const text of ['\u0000', '\u001f', '\ufffe', '\uffff', '\ud83d', '<aws.scheduler.x>'])
      expect([text, isPlainText(text)]).toEqual([text, false])
  })
})

describe('Names of schedules', () => {
  it('are the same for the same second of a timer, fit the service, and begin with their timer and queue', () => {
    const name = scheduleName('retry/billing', 'item 1', 1_767_225_600_000)
    expect(name).toMatch(/^[a-zA-Z0-9-]{1,64}$/)
    expect(scheduleName('retry/billing', 'item 1', 1_767_225_600_999)).toBe(name)
    expect(name.startsWith(timerPrefix('retry/billing', 'item 1'))).toBe(true)
    expect(name.startsWith(queuePrefix('retry/billing'))).toBe(true)
    for (const [queue, timer, atMs] of [
      ['retry/billing', 'item 1', 1_767_225_601_000],
      ['retry/billing', 'item 10', 1_767_225_600_000],
      ['retry/other', 'item 1', 1_767_225_600_000],
    ] as const)
      expect(scheduleName(queue, timer, atMs)).not.toBe(name)
    // A year ahead in the year 3000 fits, too.
    expect(scheduleName('q', 't', Date.UTC(3000, 0, 1)).length).toBeLessThanOrEqual(64)
  })
})
