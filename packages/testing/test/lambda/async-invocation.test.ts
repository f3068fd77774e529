import { VirtualClock } from '@eddy/testing'
import {
  type AsyncInvocationOptions,
  AsyncInvocations,
  type DeadLetterAttributes,
  LambdaFunction,
  type LambdaHandler,
} from '@eddy/testing/lambda'
import { describe, expect, it } from 'vitest'

function invoked(
  handler: LambdaHandler,
  options: Partial<AsyncInvocationOptions> = {},
  reservedConcurrency?: number,
) {
  const clock = new VirtualClock({ seed: 1 })
  const fn = new LambdaFunction({
    clock,
    handler,
    ...(reservedConcurrency !== undefined && { reservedConcurrency }),
  })
  const letters: [string, DeadLetterAttributes][] = []
  const records: string[] = []
  const invocations = new AsyncInvocations({
    clock,
    functionArn: fn.arn,
    invoke: fn.invoke,
    deadLetterQueue: (body, attributes) => void letters.push([body, attributes]),
    onFailure: (body) => void records.push(body),
    ...options,
  })
  return { clock, fn, invocations, letters, records }
}

describe('Asynchronous invocation', () => {
  it('tries three times, after one and two minutes, then sends the event and why to the dead-letter queue', async () => {
    const times: number[] = []
    const { clock, invocations, letters, records } = invoked(async () => {
      times.push(clock.monotonicMs())
      throw new TypeError('no such customer')
    })
    const requestId = invocations.invoke({ order: 1 })
    await clock.advance(600_000)
    expect(times).toEqual([0, 60_000, 180_000])
    expect(letters).toEqual([
      [
        '{"order":1}',
        {
          RequestID: { dataType: 'String', stringValue: requestId },
          ErrorCode: { dataType: 'Number', stringValue: '200' },
          ErrorMessage: { dataType: 'String', stringValue: 'no such customer' },
        },
      ],
    ])
    expect(JSON.parse(records[0] as string)).toMatchObject({
      version: '1.0',
      requestContext: { requestId, condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { order: 1 },
      responseContext: { functionError: 'Unhandled' },
      responsePayload: { errorType: 'TypeError', errorMessage: 'no such customer' },
    })
    expect(invocations.pending).toBe(0)
  })

  it('goes on after a throttle for up to six hours and counts it as no attempt', async () => {
    const { clock, fn, invocations, records } = invoked(async () => {}, {}, 0)
    invocations.invoke({})
    await clock.advance(5 * 3_600_000)
    expect(invocations.pending).toBe(1)
    await clock.advance(2 * 3_600_000)
    expect(fn.invocations).toBe(0)
    expect(JSON.parse(records[0] as string).requestContext.condition).toBe('EventAgeExceeded')
    expect(invocations.pending).toBe(0)
  })

  it('tells a success', async () => {
    const told: string[] = []
    const { clock, invocations } = invoked(async () => 'fine', { onSuccess: (body) => void told.push(body) })
    invocations.invoke(1)
    await clock.advance(10)
    expect(JSON.parse(told[0] as string)).toMatchObject({
      requestContext: { condition: 'Success', approximateInvokeCount: 1 },
      responsePayload: 'fine',
    })
  })

  it('refuses an event over 1 MB and more retries than two', () => {
    const { invocations } = invoked(async () => {})
    expect(() => invocations.invoke('x'.repeat(1_048_577))).toThrow(/expected up to 1048576 bytes/)
    expect(() => invoked(async () => {}, { maximumRetryAttempts: 3 })).toThrow(/from 0 to 2, received 3/)
  })
})
