import { type Attempt, type FailureDetail, type LedgerItem, type Payload, recordName } from '@eddy/core'
import type { Command } from 'commander'
import type { Action } from '../command-context.ts'
import type { Paint } from '../format/paint.ts'
import { printable, shorten } from '../format/printable.ts'
import { byteSize, plural } from '../format/quantity.ts'
import { table } from '../format/table.ts'
import { duration, timeText } from '../format/time.ts'
import { prettyJson } from './pretty-json.ts'

/** Frames of the machinery that called the handler: the same in every failure. `--json` has them. */
const INSIDE_EDDY = /[\\/](?:@eddy|packages)[\\/](?:core|embedded)[\\/](?:dist|src)[\\/]/

export function showCommand(failures: Command, action: Action): void {
  failures
    .command('show')
    .description('Shows why an event failed: its attempts, the last error, the payload.')
    .argument('<id>', 'as in eddy failures list')
    .addHelpText(
      'after',
      '\nExample:\n  eddy failures show "$(eddy failures list --limit 1 --json | jq -r .items[0].id)"',
    )
    .action(
      action(async (context, id: string) => {
        const detail = await context.client.showFailure(id)
        if (context.json) await context.printJson(detail)
        else await context.print(failureText(detail, Date.now(), context.paint))
      }),
    )
}

function failureText({ item, payload }: FailureDetail, nowMs: number, paint: Paint): string {
  return [
    header(item, nowMs, paint),
    ...section('Lineage', lineage(item, nowMs), paint),
    ...section('Attempts', attempts(item, paint), paint),
    ...section('Last error', lastError(item, paint), paint),
    ...section(
      payload === undefined ? 'Payload' : `Payload, ${byteSize(payload.bytes)}`,
      payloadText(payload),
      paint,
    ),
    ...section('Next', nextSteps(item), paint),
  ].join('\n')
}

function header(item: LedgerItem, nowMs: number, paint: Paint): string {
  const status = item.parked === true ? `${item.status}, waits for a person` : item.status
  const tone = item.status === 'dead' ? paint.red : item.status === 'resolved' ? paint.green : paint.yellow
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['id', item.id],
    ['subscription', `${item.subscription} on stream ${item.stream}`],
    ['event', `${item.eventId} (${item.eventType})`],
    ['key', item.key],
    ['shard', `${item.shardId}, sequence number ${recordName(item)}`],
    ['arrived', timeText(item.arrivedAtMs, nowMs)],
    ['first failed', timeText(item.firstFailedAtMs, nowMs)],
    ['in status since', timeText(item.statusAtMs, nowMs)],
    ['next attempt', item.dueAtMs === undefined ? undefined : timeText(item.dueAtMs, nowMs)],
    ['reason', item.reason],
    ['fingerprint', item.fingerprint],
    ['note', item.note],
  ]
  const lines = rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${paint.dim(name.padEnd(15))}  ${printable(value)}`],
  )
  const title = `${tone(paint.bold(status))}  ${plural(item.attempts, 'attempt')}`
  return [title, ...lines].join('\n')
}

function section(title: string, text: string, paint: Paint): readonly string[] {
  return text === '' ? [] : ['', paint.bold(title), text.replace(/^(?=.)/gm, '  ')]
}

function lineage({ editOf, editedBy, redrives }: LedgerItem, nowMs: number): string {
  return [
    ...(editOf === undefined ? [] : [`replaces ${printable(editOf)}`]),
    ...(editedBy === undefined ? [] : [`replaced by the edit ${printable(editedBy)}`]),
    ...redrives.map(
      ({ jobId, by, atMs }) =>
        `redriven by ${printable(by)} ${timeText(atMs, nowMs)}, job ${printable(jobId)}`,
    ),
  ].join('\n')
}

function attempts({ history, attempts: total }: LedgerItem, paint: Paint): string {
  if (history.length === 0) return ''
  const rows = table<Attempt>(
    history,
    [
      { title: '#', align: 'right', value: ({ attempt }) => attempt },
      { title: 'PATH', value: ({ path }) => path },
      { title: 'STARTED', value: ({ startedAtMs }) => new Date(startedAtMs).toISOString() },
      { title: 'TOOK', align: 'right', value: ({ durationMs }) => duration(durationMs) },
      {
        title: 'RESULT',
        value: ({ error }) => (error === undefined ? 'ok' : shorten(`${error.type}: ${error.message}`, 80)),
      },
    ],
    paint,
  )
  const missing = total - history.length
  return missing > 0 ? `${rows}\n(${plural(missing, 'attempt')} not listed)` : rows
}

function lastError({ lastError: error }: LedgerItem, paint: Paint): string {
  if (error === undefined) return ''
  const code = error.code === undefined ? '' : ` (${printable(error.code)})`
  const heading = `${paint.red(printable(error.type))}${code}: ${printable(error.message, { keepLines: true })}`
  if (error.stack === undefined) return heading
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line))
  const own = frames.filter((line) => !INSIDE_EDDY.test(line))
  const hidden = frames.length - own.length
  const rest = hidden === 0 ? [] : [`    (${plural(hidden, 'frame')} inside Eddy not shown)`]
  return [heading, ...[...own, ...rest].map((line) => paint.dim(printable(line)))].join('\n')
}

function payloadText(payload: Payload | undefined): string {
  if (payload === undefined) return 'is no longer kept'
  if (payload.encoding === 'base64') return `not text; base64:\n${payload.content}`
  return printable(prettyJson(payload.content), { keepLines: true })
}

function nextSteps({ id, status, editedBy }: LedgerItem): string {
  if (editedBy !== undefined) return `eddy failures show '${editedBy}'`
  if (status !== 'dead' && status !== 'held' && status !== 'archived') return ''
  return [`eddy failures redrive '${id}'`, `eddy failures edit '${id}'`, `eddy failures drop '${id}'`].join(
    '\n',
  )
}
