import { stat } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import type { Command } from 'commander'
import type { Action, CommandContext } from './command-context.ts'
import { asConfiguration, UsageError } from './command-errors.ts'
import { byteSize, plural } from './format/quantity.ts'

export function backupCommand(program: Command, action: Action): void {
  program
    .command('backup')
    .summary('copy a running server’s data')
    .description(
      'Takes a consistent copy of the data directory of a running server, on the machine it runs on.',
    )
    .argument('<target>', 'a folder of the server’s machine that does not exist yet')
    .addHelpText('after', '\nExample:\n  eddy backup /var/backups/eddy-2026-01-31')
    .action(action(backup))
}

export function restoreCommand(program: Command, action: Action): void {
  program
    .command('restore')
    .summary('make a data directory from a backup')
    .description('Checks a backup and makes a data directory from it. No server is needed.')
    .argument('<from>', 'a backup')
    .argument('<to>', 'the data directory to make; empty or not there yet')
    .addHelpText(
      'after',
      '\nExample:\n  eddy restore /var/backups/eddy-2026-01-31 ./data && eddy start app.ts --data ./data',
    )
    .action(
      action(async (context, from: string, to: string) => {
        // Loaded here, so that the other commands start without the engine.
        const { restoreBackup } = await import('@eddy/embedded')
        const target = resolve(to)
        await requireSource(from)
        const { records, blobs, bytes } = await asConfiguration(
          restoreBackup({ from: resolve(from), to: target }),
        )
        if (context.json) return await context.printJson({ restored: target, records, blobs, bytes })
        await context.print(
          `restored ${plural(records, 'record')}, ${byteSize(bytes)} to ${target}. Start it with: eddy start --data ${to}`,
        )
      }),
    )
}

async function backup(context: CommandContext, target: string): Promise<void> {
  const path = isLocal(context.url) ? resolve(target) : target
  if (!isAbsolute(path)) {
    throw new UsageError(
      `TARGET: expected an absolute path, since the server is on another machine, received ${JSON.stringify(target)}`,
    )
  }
  const { bytes } = await asConfiguration(context.client.backup(path))
  if (context.json) await context.printJson({ target: path, bytes })
  else
    await context.print(
      `copied ${byteSize(bytes)} to ${path}. Check and open it with: eddy restore ${path} NEW-DIR`,
    )
}

/** @throws UsageError */
async function requireSource(from: string): Promise<void> {
  try {
    await stat(from)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const problem = code === 'ENOENT' ? 'it does not exist' : message
    throw new UsageError(
      `FROM: cannot read the backup ${from}: ${problem}. Name a folder that eddy backup made.`,
    )
  }
}

function isLocal(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
}
