import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppLoadError } from '@eddy/core'
import type { AppDescription } from './app-description.ts'

/** Longer than an application file may take to load, so that its own error comes first. */
const TIMEOUT_MS = 90_000
const MAX_BYTES = 16 * 1024 * 1024
/** Both `src/app` and `dist/app` lie beside `dist`: a process of its own starts from JavaScript. */
const PROGRAM = fileURLToPath(new URL('../../dist/app/describe-main.js', import.meta.url))

/** The file descriptor of the answer: stdout belongs to what the application prints. */
export const ANSWER_FD = 3

export type Answer = { readonly description: AppDescription } | { readonly problem: string }

/**
 * What an application file defines. A process of its own loads it, so that constructs, which are made synchronously,
 * may take files with a top-level await, and so that nothing it starts stays behind in this one.
 *
 * @throws AppLoadError
 */
export function loadDescription(entry: string): AppDescription {
  const { error, output, signal, status } = spawnSync(process.execPath, [PROGRAM, resolve(entry)], {
    stdio: ['ignore', 2, 2, 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_BYTES,
  })
  const text = output?.[ANSWER_FD]?.toString() ?? ''
  if (text === '') {
    const end = error?.message ?? (signal === null ? `exit status ${status}` : signal)
    throw new AppLoadError(entry, `the process that loaded it ended without an answer: ${end}`)
  }
  const answer = JSON.parse(text) as Answer
  if ('problem' in answer) throw new AppLoadError(entry, answer.problem)
  return answer.description
}
