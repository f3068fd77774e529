import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { CommandContext } from '../command-context.ts'
import { UsageError } from '../command-errors.ts'

/** What a person wrote, until it is known whether it is needed again. */
export interface Draft {
  readonly text: string
  remove(): Promise<void>
  /** Leaves the text where it can be found, and says where. */
  keep(context: CommandContext): Promise<void>
}

export function editorOf(env: Readonly<Record<string, string | undefined>>): string {
  return env.VISUAL || env.EDITOR || 'vi'
}

/**
 * Opens the text in an editor and hands back what was saved. Only the user can read the file.
 * @throws UsageError the editor could not be started, or ended with an error
 */
export async function editInEditor(editor: string, text: string): Promise<Draft> {
  const folder = await mkdtemp(join(tmpdir(), 'eddy-edit-'))
  const file = join(folder, 'event.json')
  await writeFile(file, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o600 })
  try {
    await openEditor(editor, file)
    return {
      text: await readFile(file, 'utf8'),
      remove: () => rm(dirname(file), { recursive: true, force: true }),
      keep: ({ note }) => note(`Your edit is in ${file}: repeat with --file ${file}`),
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function openEditor(editor: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // By a shell, as git does: $EDITOR may hold arguments. The file is an argument of its own.
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', file], { stdio: 'inherit' })
    child.on('error', (error) =>
      reject(new UsageError(`cannot start the editor ${editor}: ${error.message}`)),
    )
    child.on('exit', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(
          new UsageError(
            `the editor ${editor} ended with ${signal ?? `status ${code}`}; nothing was changed`,
          ),
        )
    })
  })
}
