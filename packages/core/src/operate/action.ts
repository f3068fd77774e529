import { InvalidOptionError } from '../errors/request-errors.ts'
import type { ActionOptions } from './operations.ts'

const MAX_BY_CHARACTERS = 128
const MAX_NOTE_CHARACTERS = 1_024

export interface Actor {
  readonly by: string
  readonly note?: string
}

/** Runs a change, unless this server is read-only. */
export type Changing = <T>(action: string, change: () => Promise<T>) => Promise<T>

/** Who asks, with the default filled in. @throws InvalidOptionError */
export function actorOf(options: ActionOptions | undefined): Actor {
  const by = options?.by ?? 'operator'
  if (typeof by !== 'string' || by.length < 1 || by.length > MAX_BY_CHARACTERS) {
    throw new InvalidOptionError('by', `1 to ${MAX_BY_CHARACTERS} characters`, by)
  }
  const note = options?.note
  if (note === undefined) return { by }
  if (typeof note !== 'string' || note.length > MAX_NOTE_CHARACTERS) {
    throw new InvalidOptionError('note', `at most ${MAX_NOTE_CHARACTERS} characters`, note)
  }
  return { by, note }
}
