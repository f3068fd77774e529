import type { FailureGroup, LedgerItem } from '@eddy/core'
import type { Command } from 'commander'
import type { Action, CommandContext } from '../command-context.ts'
import { shorten } from '../format/printable.ts'
import { count } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { relativeTime } from '../format/time.ts'
import { type FilterOptions, filterOf, filterOptions } from './filter-options.ts'

const PAGE = 200
const DEFAULT_LIMIT = 50
const MAX_LISTED = 10_000

export function listCommands(failures: Command, action: Action): void {
  filterOptions(failures.command('list'), { maxLimit: MAX_LISTED })
    .description(
      `Lists failures, newest first; ${DEFAULT_LIMIT} unless --limit says more (to ${count(MAX_LISTED)}).`,
    )
    .addHelpText(
      'after',
      '\nExamples:\n  eddy failures list --status dead --since 2h\n  eddy failures list --subscription billing --error PaymentDeclined',
    )
    .action(action(listFailures))
  filterOptions(failures.command('groups'))
    .description('Failures by what they have in common: count, first and last seen, a sample.')
    .addHelpText('after', '\nExample:\n  eddy failures groups --status dead --since 1d')
    .action(action(listGroups))
  filterOptions(failures.command('export'))
    .description('Every matching failure with its payload, one JSON line each.')
    .addHelpText('after', '\nExample:\n  eddy failures export --status dead > dead.ndjson')
    .action(
      action(async ({ client, io, printJson }, options: FilterOptions) => {
        const filter = filterOf(options, Date.now())
        for await (const detail of client.exportFailures(filter, options.limit, io.signal))
          await printJson(detail)
      }),
    )
}

async function listFailures(context: CommandContext, options: FilterOptions): Promise<void> {
  const nowMs = Date.now()
  const filter = filterOf(options, nowMs)
  const limit = options.limit ?? DEFAULT_LIMIT
  const items: LedgerItem[] = []
  let after: string | undefined
  do {
    const page = await context.client.listFailures(filter, {
      limit: Math.min(PAGE, limit - items.length),
      ...(after === undefined ? {} : { after }),
    })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined && items.length < limit)
  if (context.json) return await context.printJson({ items, ...(after === undefined ? {} : { next: after }) })
  if (items.length === 0) return await context.note('No failure matches.')
  await context.print(
    table(
      items,
      [
        // What matters first: a terminal of 80 columns cuts or wraps the long ids.
        { title: 'STATUS', value: statusText },
        { title: 'SUBSCRIPTION', value: ({ subscription }) => shorten(subscription, 24) },
        { title: 'ERROR', value: (item) => shorten(errorText(item), 44) },
        { title: 'KEY', value: ({ key }) => shorten(key, 32) },
        { title: 'ATTEMPTS', align: 'right', value: ({ attempts }) => attempts },
        { title: 'SINCE', value: ({ statusAtMs }) => relativeTime(statusAtMs, nowMs) },
        { title: 'ID', value: ({ id }) => id },
      ],
      context.paint,
    ),
  )
  if (after !== undefined)
    await context.note(`There are more: --limit, up to ${count(MAX_LISTED)}, or: eddy failures export`)
}

async function listGroups(context: CommandContext, options: FilterOptions): Promise<void> {
  const nowMs = Date.now()
  const found = await context.client.failureGroups(filterOf(options, nowMs))
  const groups: readonly FailureGroup[] = options.limit === undefined ? found : found.slice(0, options.limit)
  if (context.json) return await context.printJson(groups)
  if (groups.length === 0) return await context.note('No failure matches.')
  await context.print(
    table(
      groups,
      [
        { title: 'COUNT', align: 'right', value: (group) => count(group.count) },
        { title: 'SUBSCRIPTION', value: ({ subscription }) => subscription },
        { title: 'ERROR', value: ({ errorType }) => errorType },
        { title: 'FIRST', value: ({ firstSeenMs }) => relativeTime(firstSeenMs, nowMs) },
        { title: 'LAST', value: ({ lastSeenMs }) => relativeTime(lastSeenMs, nowMs) },
        { title: 'FINGERPRINT', value: ({ fingerprint }) => fingerprint },
        { title: 'SAMPLE', value: ({ sample }) => `${sample.id} ${shorten(sample.message, 60)}` },
      ],
      context.paint,
    ),
  )
}

function statusText({ status, parked }: LedgerItem): string {
  return status === 'held' && parked === true ? 'held (parked)' : status
}

function errorText({ lastError, reason }: LedgerItem): string {
  if (lastError !== undefined) return `${lastError.type}: ${lastError.message}`
  return reason ?? '-'
}
