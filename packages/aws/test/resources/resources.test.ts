import { consumerNameOf, queueNameOf, resourceEnv, resourcesFromEnv, streamNameOf } from '@eddy/aws/resources'
import { describe, expect, it } from 'vitest'

const resources = { name: 'shop', bucket: 'shop-payloads' }

describe('Resources in the environment', () => {
  it('are read as they were written', () => {
    const all = {
      ...resources,
      streams: { orders: 'orders-v2' },
      schedulerRoleArn: 'arn:aws:iam::1:role/x',
      deadSchedulesArn: 'arn:aws:sqs:eu-west-1:1:shop-dead-schedules',
      topicArn: 'arn:aws:sns:eu-west-1:1:told',
    }
    expect(resourcesFromEnv(resourceEnv(all))).toEqual(all)
    expect(resourcesFromEnv(resourceEnv(resources))).toEqual(resources)
  })

  it.each([
    [{}, 'EDDY_NAME'],
    [{ EDDY_NAME: 'shop' }, 'EDDY_BUCKET'],
    [{ EDDY_NAME: 'Shop', EDDY_BUCKET: 'b' }, 'resources.name'],
    [{ EDDY_NAME: 'shop', EDDY_BUCKET: 'b', EDDY_STREAMS: '{"a":1}' }, 'EDDY_STREAMS'],
    [{ EDDY_NAME: 'shop', EDDY_BUCKET: 'b', EDDY_STREAMS: '[' }, 'EDDY_STREAMS'],
  ])('say what is wrong: %o', (env, named) => {
    expect(() => resourcesFromEnv(env)).toThrow(named)
  })
})

describe('Names of resources', () => {
  it('begin with the name of the application', () => {
    expect(streamNameOf(resources, 'orders')).toBe('shop-orders')
    expect(queueNameOf(resources, 'retry/charge', false)).toBe('shop-retry-charge')
    expect(queueNameOf(resources, 'queue/emails', true)).toBe('shop-queue-emails.fifo')
    expect(consumerNameOf(resources, 'charge')).toBe('shop-charge')
  })

  it('are those of streams that are there already', () => {
    const known = { ...resources, streams: { orders: 'orders-v2' } }
    expect(streamNameOf(known, 'orders')).toBe('orders-v2')
    expect(streamNameOf(known, 'toString')).toBe('shop-toString')
  })

  it('fit the service, and no two become one', () => {
    const long = 'a'.repeat(128)
    const names = [`retry/${long}`, `retry/${long.slice(1)}b`, 'retry/a.b', 'retry/a-b'].flatMap((queue) => [
      queueNameOf(resources, queue, false),
      queueNameOf(resources, queue, true),
    ])
    for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,80}$|^(?=.{1,80}$)[a-zA-Z0-9_-]+\.fifo$/)
    expect(new Set(names).size).toBe(names.length)
  })
})
