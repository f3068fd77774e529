import type { Command } from 'commander'
import type { Action } from '../command-context.ts'
import { bulkCommands } from './bulk-commands.ts'
import { editCommand } from './edit-command.ts'
import { listCommands } from './list-commands.ts'
import { redriveCommand } from './redrive-command.ts'
import { showCommand } from './show-command.ts'

export function failuresCommands(program: Command, action: Action): void {
  const failures = program
    .command('failures')
    .summary('list, groups, show, edit, redrive, drop, archive, export')
    .description('Events that failed: why, and what to do with them.')
  listCommands(failures, action)
  showCommand(failures, action)
  editCommand(failures, action)
  redriveCommand(failures, action)
  bulkCommands(failures, action)
}
