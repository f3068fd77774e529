import { join } from 'node:path'

/** Everything of this example lies in one folder, so that removing it starts afresh and nothing is left half. */
export const DEFAULT_DATA_DIRECTORY = '.eddy/git-history'

/** For `eddy start --data`. */
export function engineDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'engine')
}

export function projectionDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'projection')
}

/** What was read into the stream so far. */
export function sourceFile(dataDirectory: string): string {
  return join(dataDirectory, 'source.json')
}
