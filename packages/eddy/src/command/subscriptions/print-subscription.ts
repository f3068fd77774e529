import type { SubscriptionQueueStatus, SubscriptionStatus } from '@eddy/core'
import type { CommandContext } from '../command-context.ts'
import type { Paint } from '../format/paint.ts'
import { printable } from '../format/printable.ts'
import { count, plural } from '../format/quantity.ts'
import { type Column, table } from '../format/table.ts'
import { duration } from '../format/time.ts'
import { protectionLines, stateWord } from './protection-text.ts'

type NumberOf<Row> = (row: Row) => number | undefined

function numberColumn<Row>(title: string, value: NumberOf<Row>): Column<Row> {
  return {
    title,
    align: 'right',
    value: (row) => {
      const number = value(row)
      return number === undefined ? '-' : count(number)
    },
  }
}

export async function printSubscriptions(
  context: CommandContext,
  subscriptions: readonly SubscriptionStatus[],
): Promise<void> {
  if (context.json) return await context.printJson(subscriptions)
  if (subscriptions.length === 0) {
    return await context.note('There is no subscription. An application file states them: eddy start app.ts')
  }
  await context.print(
    table(
      subscriptions,
      [
        { title: 'SUBSCRIPTION', value: ({ name }) => name },
        { title: 'STREAM', value: ({ stream }) => stream },
        { title: 'BLOCKS', value: ({ blocks }) => blocks },
        { title: 'STATE', value: stateWord },
        numberColumn('LAG', ({ lagRecords }) => lagRecords),
        { title: 'LAG TIME', align: 'right', value: ({ lagMs }) => duration(lagMs) },
        numberColumn('IN FLIGHT', ({ inFlight }) => inFlight),
        numberColumn('RETRYING', ({ retrying }) => retrying),
        numberColumn('HELD', ({ held }) => held),
        numberColumn('HELD KEYS', ({ heldKeys }) => heldKeys),
        numberColumn('DEAD', ({ dead }) => dead),
      ],
      context.paint,
    ),
  )
}

export async function printSubscription(
  context: CommandContext,
  subscription: SubscriptionStatus,
): Promise<void> {
  if (context.json) return await context.printJson(subscription)
  const { paint } = context
  const lines = [
    `${paint.bold(printable(subscription.name))}  on ${subscription.queue === undefined ? 'stream ' : ''}${printable(subscription.stream)}, ${stateText(subscription, paint)}`,
    `blocks ${subscription.blocks}, then ${subscription.exhausted}; concurrency ${subscription.concurrency}${inBatches(subscription)}`,
    `lag ${count(subscription.lagRecords)} records, ${duration(subscription.lagMs)}; in flight ${count(subscription.inFlight)}`,
    `retrying ${count(subscription.retrying)}, held ${count(subscription.held)} (${plural(subscription.heldKeys, 'key')}), dead ${deadText(subscription.dead, paint)}`,
    ...repeatedLines(subscription),
    ...protectionLines(subscription, Date.now(), paint),
    '',
    subscription.queue === undefined ? shardTable(subscription, paint) : queueText(subscription.queue),
  ]
  lines.push(...nextSteps(subscription))
  await context.print(lines.join('\n'))
}

/** Nothing where nothing was sent twice. */
function repeatedLines({ copies = 0, strays = 0 }: SubscriptionStatus): readonly string[] {
  if (copies === 0 && strays === 0) return []
  return [`passed over since the start: copies ${count(copies)}, of stray aggregates ${count(strays)}`]
}

function queueText({
  name,
  state,
  ready,
  inFlight,
  delayed,
  oldestAgeMs,
  buffered,
}: SubscriptionQueueStatus): string {
  return [
    `queue ${printable(name)} is ${state}: ready ${count(ready)}, in flight ${count(inFlight)}, delayed ${count(delayed)}, buffered ${count(buffered)}`,
    `its oldest message waits for ${duration(oldestAgeMs)}`,
  ].join('\n')
}

/** With several workers. */
const ownerColumn = {
  title: 'OWNER',
  value: ({ owner }: SubscriptionStatus['shards'][number]): string =>
    owner === undefined ? '-' : printable(owner),
}

function shardTable({ shards }: SubscriptionStatus, paint: Paint): string {
  const hasOwners = shards.some(({ owner }) => owner !== undefined)
  return table(
    shards,
    [
      { title: 'SHARD', value: ({ shardId }) => shardId },
      { title: 'STATE', value: ({ state }) => state },
      ...(hasOwners ? [ownerColumn] : []),
      { title: 'CHECKPOINT', value: ({ checkpoint }) => checkpoint ?? '-' },
      numberColumn('LAG', ({ lagRecords }) => lagRecords),
      { title: 'LAG TIME', align: 'right', value: ({ lagMs }) => duration(lagMs) },
      numberColumn('BUFFERED', ({ buffered }) => buffered),
      numberColumn('EXPIRED', ({ expiredRecords }) => expiredRecords),
    ],
    paint,
  )
}

function nextSteps({ name, dead, held, exhausted }: SubscriptionStatus): readonly string[] {
  const list = `eddy failures list --subscription ${printable(name)} --status`
  const lines: string[] = []
  if (dead > 0) lines.push(`See why: ${list} dead`)
  if (held > 0) lines.push(`See what waits: ${list} held`)
  if (held > 0 && exhausted === 'hold') {
    lines.push('Decide on those that wait for a person: eddy failures redrive|edit|drop ID')
  }
  return lines.length === 0 ? [] : ['', ...lines]
}

function stateText(subscription: SubscriptionStatus, paint: Paint): string {
  const { pausedBy } = subscription
  const word = stateWord(subscription)
  if (word === 'running') return paint.green(word)
  if (word === 'breaker open') return paint.red(word)
  return paint.yellow(`${word}${pausedBy === undefined ? '' : ` by ${printable(pausedBy)}`}`)
}

function deadText(dead: number, paint: Paint): string {
  return dead > 0 ? paint.red(count(dead)) : '0'
}

function inBatches({ batch }: SubscriptionStatus): string {
  return batch === undefined ? '' : `, in batches of up to ${plural(batch.maxEvents, 'event')}`
}
