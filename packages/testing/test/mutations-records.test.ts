import { describe, expect, test } from 'vitest'
import { event, oneSubscription, openHarness } from './support/one-subscription.ts'

describe('records that the simulation does not send', () => {
  test('one that is no event is dead-lettered with its bytes and the reason, the rest handled (I2, I9)', async () => {
    const h = await openHarness(oneSubscription({}))
    const outside = h.world.boot()
    const data = new TextEncoder().encode('{"no": "event"')
    await outside.log.append('events', [{ partitionKey: 'a', data }])
    await h.append('events', [event('a', 'a1')])
    await h.settle()
    expect(h.order('work', 'a')).toEqual(['a1'])
    const [dead] = await h.deadLetters('work')
    expect(dead).toMatchObject({ status: 'dead', eventType: 'undecodable', payloadBytes: data.length })
    expect((await h.operations.showFailure(dead?.id as string)).payload?.content).toBe('{"no": "event"')
  })
})
