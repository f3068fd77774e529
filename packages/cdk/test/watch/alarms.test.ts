import { describe, expect, it } from 'vitest'
import { resourcesOf, type Synthesized, synthesized } from '../support/synthesized.ts'

const alarmsOf = (one: Synthesized) =>
  new Map(
    [...resourcesOf(one, 'AWS::CloudWatch::Alarm').values()].map(({ Properties }) => [
      Properties.AlarmName,
      Properties,
    ]),
  )

describe('Alarms', () => {
  const shop = synthesized()
  const alarms = alarmsOf(shop)

  it('ring for each subscription that lags, has dead letters, or waits long for a retry', () => {
    for (const name of ['charge', 'ledger', 'count', 'mail']) {
      expect(alarms.get(`shop-subscription:${name}:dead-letters`)).toMatchObject({
        Namespace: 'Eddy',
        MetricName: 'DeadLetters',
        Dimensions: [
          { Name: 'Application', Value: 'shop' },
          { Name: 'Subscription', Value: name },
        ],
        Statistic: 'Sum',
        Threshold: 1,
      })
      expect(alarms.get(`shop-subscription:${name}:oldest-retry`)).toMatchObject({
        MetricName: 'OldestRetry',
        Statistic: 'Maximum',
        Threshold: 3_600,
      })
    }
    for (const name of ['charge', 'ledger', 'count'])
      expect(alarms.get(`shop-subscription:${name}:iterator-age`)).toMatchObject({
        MetricName: 'IteratorAge',
        Threshold: 300_000,
      })
    expect(alarms.has('shop-subscription:mail:iterator-age')).toBe(false)
  })

  it('ring when nothing tells how a subscription is: a sweep that is dead does not look well', () => {
    for (const name of ['charge', 'ledger', 'count', 'mail'])
      expect(alarms.get(`shop-subscription:${name}:silent`)).toMatchObject({
        Namespace: 'Eddy',
        MetricName: 'OldestRetry',
        Dimensions: [
          { Name: 'Application', Value: 'shop' },
          { Name: 'Subscription', Value: name },
        ],
        Statistic: 'SampleCount',
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
        Period: 300,
        EvaluationPeriods: 3,
        TreatMissingData: 'breaching',
      })
  })

  it('ring when half of the retention is used up, for readers of every kind', () => {
    const half = (72 * 3_600_000) / 2
    expect(alarms.get('shop-subscription:charge:retention-near')).toMatchObject({ Threshold: half })
    expect(alarms.get('shop-stream:orders:retention-near')).toMatchObject({
      MetricName: 'GetRecords.IteratorAgeMilliseconds',
      Threshold: half,
    })
  })

  it('ring for functions that fail or find no room, for refusals of streams and table, for dead queues', () => {
    const names = [...alarms.keys()]
    for (const one of ['charge-live', 'charge-retry', 'mail-live', 'rescue', 'sweep', 'http'])
      expect(names).toEqual(
        expect.arrayContaining([`shop-function:${one}:errors`, `shop-function:${one}:throttles`]),
      )
    expect(names).toEqual(
      expect.arrayContaining([
        'shop-stream:orders:read-throttles',
        'shop-stream:orders:write-throttles',
        'shop-table:read-throttles',
        'shop-table:write-throttles',
        'shop-dead:queue-emails',
        'shop-dead:retry-charge',
        'shop-dead:schedules',
        'shop-dead:invocations',
      ]),
    )
  })

  it('tell the topic when they begin and when they end, and nothing while nothing happens', () => {
    const topic = { Ref: expect.stringMatching(/Topic/) }
    for (const [name, alarm] of alarms)
      expect(alarm).toMatchObject({
        AlarmActions: [topic],
        OKActions: [topic],
        TreatMissingData: String(name).endsWith(':silent') ? 'breaching' : 'notBreaching',
        AlarmDescription: expect.stringMatching(/.{20}/),
      })
  })

  it('have the thresholds that are asked for, and are left out when they are', () => {
    const own = alarmsOf(
      synthesized({ alarms: { iteratorAgeSeconds: 30, retentionShare: 0.25, throttles: 3 } }),
    )
    expect(own.get('shop-subscription:charge:iterator-age')).toMatchObject({ Threshold: 30_000 })
    expect(own.get('shop-stream:orders:retention-near')).toMatchObject({ Threshold: 18 * 3_600_000 })
    expect(own.get('shop-table:read-throttles')).toMatchObject({ Threshold: 3 })
    const none = synthesized({ alarms: false, dashboard: false })
    none.template.resourceCountIs('AWS::CloudWatch::Alarm', 0)
    none.template.resourceCountIs('AWS::CloudWatch::Dashboard', 0)
  })
})

describe('The dashboard', () => {
  it('has a graph for what counts, with every subscription in it', () => {
    const [dashboard] = resourcesOf(synthesized(), 'AWS::CloudWatch::Dashboard').values()
    const body = JSON.stringify(dashboard?.Properties.DashboardBody)
    for (const title of [
      'Handled',
      'Failed attempts',
      'Dead letters',
      'Oldest retry (s)',
      'Function errors',
      'Refused by streams and table',
    ])
      expect(body).toContain(`\\"title\\":\\"${title}\\"`)
    for (const name of ['charge', 'ledger', 'count', 'mail'])
      expect(body).toContain(`\\"Subscription\\",\\"${name}\\"`)
  })
})
