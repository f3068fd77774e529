import { statfsSync } from 'node:fs'
import { EddyError, StorageError } from '@eddy/core'

const FULL_BELOW_BYTES = 4 * 1024 * 1024

/**
 * Says in the user's words what a failed write means. LMDB reports a short write as a plain I/O error, so the free
 * space is looked at too.
 */
export function toStorageError(error: unknown, dir: string): EddyError {
  if (error instanceof EddyError) return error
  const problem = describeProblem(error, dir)
  return new StorageError(problem, { dir }, { cause: error })
}

function describeProblem(error: unknown, dir: string): string {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT' || isFull(dir)) {
    return `the disk that holds ${dir} is full. Nothing of the refused call was stored; free some space and call again.`
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return `${dir} cannot be written (${code}). Make it writable for this user, or choose another data directory.`
  }
  const message = error instanceof Error ? error.message : String(error)
  return `${message} in ${dir}. Nothing of the refused call was stored; check the disk and call again.`
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' ? code : undefined
}

function isFull(dir: string): boolean {
  try {
    const stats = statfsSync(dir)
    return stats.bavail * stats.bsize < FULL_BELOW_BYTES
  } catch {
    return false
  }
}
