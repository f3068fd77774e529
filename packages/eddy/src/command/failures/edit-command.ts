import { readFile } from 'node:fs/promises'
import { EditConflictError, type FailureDetail } from '@eddy/core'
import type { Command } from 'commander'
import { type Action, type CommandContext, operatorName } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'
import { confirm } from '../confirm.ts'
import { EXIT } from '../exit-code.ts'
import { type Draft, editInEditor, editorOf } from './editor.ts'
import { payloadDiff } from './payload-diff.ts'
import { prettyJson } from './pretty-json.ts'

interface EditOptions {
  readonly file?: string
  readonly by?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
}

const EXAMPLES = `
Examples:
  eddy failures edit 'billing:4be1…:0000.0000.0161000000000000042'
  eddy failures show ID --json | jq '.payload.content | fromjson | .data.amount = 12' > fixed.json
  eddy failures edit ID --file fixed.json --dry-run
  eddy failures edit ID --file fixed.json --yes

The payload is the whole event (CloudEvents JSON). The edited event is handled in the place of the old one, which is
then resolved by the edit. If somebody else changed the failure meanwhile, nothing is sent (exit 1).`

export function editCommand(failures: Command, action: Action): void {
  failures
    .command('edit')
    .description('Corrects a failed event, shows the difference and sends it again.')
    .argument('<id>', 'as in eddy failures list')
    .option('--file <file>', 'the corrected event (- for standard input); without, $VISUAL or $EDITOR opens')
    .option('--by <name>', 'who asks (default: you)')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'only show the difference')
    .addHelpText('after', EXAMPLES)
    .action(action(edit))
}

async function edit(context: CommandContext, id: string, options: EditOptions): Promise<void> {
  const detail = await context.client.showFailure(id)
  const before = editableText(detail)
  const draft = await draftOf(context, before, options)
  try {
    const sent = await send(context, detail, before, draft.text, options)
    if (sent) await draft.remove()
    else await draft.keep(context)
  } catch (error) {
    await draft.keep(context)
    throw error
  }
}

async function send(
  context: CommandContext,
  { item }: FailureDetail,
  before: string,
  after: string,
  { by, yes, dryRun }: EditOptions,
): Promise<boolean> {
  requireEvent(after)
  const difference = payloadDiff(before, prettyJson(after.trim()), context.paint)
  if (difference === '') throw new EditConflictError(item.id, 'nothing was changed')
  if (!context.json) await context.print(difference)
  if (dryRun === true) {
    if (context.json) await context.printJson({ dryRun: true, id: item.id, diff: difference })
    return true
  }
  if (!(await confirm(context, `Send this in the place of ${item.id}?`, { yes }))) {
    await context.note('Nothing was changed.')
    context.exitWith(EXIT.failed)
    return false
  }
  const result = await context.client.editFailure(item.id, after.trim(), {
    by: operatorName(by),
    expectUpdatedAtMs: item.updatedAtMs,
  })
  if (context.json) await context.printJson(result)
  else await context.print(`edited: ${result.item.id} (${result.item.status}) replaces ${result.original.id}`)
  return true
}

function editableText({ item, payload }: FailureDetail): string {
  if (payload === undefined) throw new EditConflictError(item.id, 'its payload is no longer kept')
  if (payload.encoding !== 'utf8') throw new EditConflictError(item.id, 'its payload is not text')
  return prettyJson(payload.content)
}

async function draftOf(
  { io, interactive }: CommandContext,
  before: string,
  { file, yes, dryRun }: EditOptions,
): Promise<Draft> {
  const fromFile = (text: string): Draft => ({ text, remove: async () => {}, keep: async () => {} })
  if (file === '-') {
    if (yes !== true && dryRun !== true) throw new UsageError('--file -: expected --yes or --dry-run with it')
    const parts: Buffer[] = []
    for await (const part of io.stdin) parts.push(Buffer.from(part))
    return fromFile(Buffer.concat(parts).toString('utf8'))
  }
  if (file !== undefined) {
    try {
      return fromFile(await readFile(file, 'utf8'))
    } catch (error) {
      throw new UsageError(`--file: cannot read ${file}: ${(error as Error).message}`)
    }
  }
  if (!interactive)
    throw new UsageError('There is no terminal for an editor: name the corrected event with --file FILE.')
  return await editInEditor(editorOf(io.env), before)
}

function requireEvent(text: string): void {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  } catch (error) {
    throw new UsageError(`the edited event is not JSON: ${(error as Error).message}`)
  }
  throw new UsageError('the edited event: expected a CloudEvents JSON object')
}
