import { type Harness, harness } from '@eddy/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, orders } from './app.ts'

let h: Harness
let charged: string[]

beforeEach(async () => {
  charged = []
  h = await harness(
    createApp(async (memberId, cents) => {
      charged.push(`${memberId} ${cents}`)
    }),
  )
})

afterEach(() => h.close())

test('a member’s orders wait for the one that fails; other members do not', async () => {
  h.fail('billing', { eventId: 'o1', times: 2 })
  await h.append(orders, [
    { key: 'ann', id: 'o1', data: { cents: 500 } },
    { key: 'ann', id: 'o2', data: { cents: 700 } },
    { key: 'bob', id: 'o3', data: { cents: 900 } },
  ])
  await h.advance('1ms')
  expect(charged).toEqual(['bob 900'])

  await h.advance('1h')
  expect(charged).toEqual(['bob 900', 'ann 500', 'ann 700'])
  expect(h.attempts('billing', 'o1')).toBe(3)
  expect(h.order('billing', 'ann')).toEqual(['o1', 'o2'])
})

test('when the tries are used up, the member is held until a person decides', async () => {
  h.fail('billing', { key: 'ann' })
  await h.append(orders, { key: 'ann', id: 'o1', data: { cents: 500 } })
  await h.settle()
  expect(await h.held('billing')).toMatchObject([{ eventId: 'o1', parked: true, attempts: 4 }])

  h.heal('billing')
  await h.operations.startRedrive({ subscription: 'billing', status: 'held' }, { by: 'carol' })
  await h.settle()
  expect(charged).toEqual(['ann 500'])
})

test('a hopeless order is dead-lettered at once', async () => {
  await h.append(orders, { key: 'ann', id: 'o1', data: { cents: -1 } })
  await h.settle()
  expect(await h.deadLetters('billing')).toMatchObject([
    { eventId: 'o1', attempts: 1, reason: 'an order below zero' },
  ])
})

test('a crash charges nobody twice unless it comes in the middle of a charge', async () => {
  await h.append(orders, { key: 'ann', id: 'o1', data: { cents: 500 } })
  await h.settle()
  await h.advance('2s')
  await h.crash()
  await h.settle()
  expect(charged).toEqual(['ann 500'])
})
