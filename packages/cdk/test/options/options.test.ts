import { defineApp, InvalidOptionError, stream, subscribe } from '@eddy/core'
import { describe, expect, it } from 'vitest'
import type { EddyAppProps } from '../../src/index.ts'
import { synthesized } from '../support/synthesized.ts'

function optionOf(props: Partial<EddyAppProps>): unknown {
  try {
    synthesized(props)
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError)
    return (error as InvalidOptionError).details.option
  }
  return 'nothing was refused'
}

describe('A wrong option is named', () => {
  it.each<[string, Partial<EddyAppProps>]>([
    ['EddyApp.name', { name: 'Shop' }],
    ['streams', { streams: { order: 'orders-v2' } }],
    ['subscriptions', { subscriptions: { chrage: {} } }],
    [
      'subscriptions["ledger"].parallelizationFactor',
      { subscriptions: { ledger: { parallelizationFactor: 2 } } },
    ],
    [
      'subscriptions["charge"].parallelizationFactor',
      { subscriptions: { charge: { parallelizationFactor: 11 } } },
    ],
    ['subscriptions["charge"].maximumConcurrency', { subscriptions: { charge: { maximumConcurrency: 5 } } }],
    ['subscriptions["charge"].batchSize', { subscriptions: { charge: { batchSize: 10_001 } } }],
    [
      'subscriptions["charge"].maximumRecordAgeSeconds',
      { subscriptions: { charge: { maximumRecordAgeSeconds: -1 } } },
    ],
    ['subscriptions["charge"].timeoutSeconds', { subscriptions: { charge: { timeoutSeconds: 39 } } }],
    ['subscriptions["mail"].batchSize', { subscriptions: { mail: { batchSize: 11 } } }],
    [
      'subscriptions["mail"].batchingWindowSeconds',
      { subscriptions: { mail: { batchingWindowSeconds: 1 } } },
    ],
    ['subscriptions["mail"].maximumRetryAttempts', { subscriptions: { mail: { maximumRetryAttempts: 1 } } }],
    [
      'subscriptions["mail"].writesTo.streams',
      { subscriptions: { mail: { writesTo: { streams: ['order'] } } } },
    ],
    ['subscriptions["charge"].topics', { subscriptions: { charge: { topics: [] } } }],
    ['subscriptions["mail"].topics', { subscriptions: { mail: { topics: [] } } }],
    ['vpc', { vpcEndpoints: true }],
    ['vpc', { worker: {} }],
    ['http', { http: 'rest-api' as never }],
    ['httpAuth', { httpAuth: 'none' as never }],
  ])('%s', (option, props) => {
    expect(optionOf(props)).toBe(option)
  })

  it('says that a handler that takes longer than a function lives belongs in a worker', () => {
    const slow = subscribe('slow', stream('work', { shards: 1 }), {
      timeoutMs: 900_000,
      handle: () => undefined,
    })
    expect(() => synthesized({}, defineApp({ subscriptions: [slow] }))).toThrow(
      'subscribe("slow").timeoutMs: expected at most 885000 in a function, which lives for 15 minutes. Give it less time, or run it in a worker, received 900000',
    )
  })
})
