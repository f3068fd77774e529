import { EddyError, type ErrorDetails } from './eddy-error.ts'

export class EngineClosedError extends EddyError {
  override readonly code = 'EDDY_ENGINE_CLOSED'
  override readonly retryable = false

  constructor() {
    super(`the engine is closed`, {})
  }
}

export class EngineSharedError extends EddyError {
  override readonly code = 'EDDY_ENGINE_SHARED'
  override readonly retryable = false

  constructor() {
    super(
      'this engine is shared by workers: a process that takes all of it would work beside them, and their leases and epochs are not its own. Start with ownership: leases(), also where there is one process alone',
      {},
    )
  }
}

export class EngineOwnedError extends EddyError {
  override readonly code = 'EDDY_ENGINE_OWNED'
  override readonly retryable = false

  constructor() {
    super(
      'one process owns all of this engine: it runs, or it died. Start it again as it was, without ownership, let it catch up, and stop it; then start the workers',
      {},
    )
  }
}

export class DataDirLockedError extends EddyError {
  override readonly code = 'EDDY_DATA_DIR_LOCKED'
  override readonly retryable = true

  constructor(dir: string, pid: number, address: string) {
    super(
      `data directory ${dir} is in use by process ${pid}${address === '' ? '' : ` at ${address}`}. Talk to that process (eddy --url), or stop it first.`,
      { dir, pid, address },
    )
  }
}

export class DataDirForeignError extends EddyError {
  override readonly code = 'EDDY_DATA_DIR_FOREIGN'
  override readonly retryable = false

  constructor(dir: string, problem: string) {
    super(`${dir} is not an Eddy data directory: ${problem}. Choose an empty directory.`, { dir })
  }
}

export class DataDirVersionError extends EddyError {
  override readonly code = 'EDDY_DATA_DIR_VERSION'
  override readonly retryable = false

  constructor(dir: string, found: string, supported: string) {
    super(
      `data directory ${dir} has format ${found}; this version reads ${supported}. Use the version of Eddy that wrote it.`,
      { dir, found, supported },
    )
  }
}

export class StorageError extends EddyError {
  override readonly code = 'EDDY_STORAGE'
  override readonly retryable = true

  constructor(problem: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(`storage failed: ${problem}`, details, options)
  }
}

export class CorruptDataError extends EddyError {
  override readonly code = 'EDDY_CORRUPT_DATA'
  override readonly retryable = false

  constructor(where: string, problem: string) {
    super(`corrupt data in ${where}: ${problem}. Restore a backup with: eddy restore`, { where })
  }
}

export class PortInUseError extends EddyError {
  override readonly code = 'EDDY_PORT_IN_USE'
  override readonly retryable = true

  /** @param option - that named the port */
  constructor(host: string, port: number, option = '--port') {
    super(`${host}:${port} is in use. Choose another port with ${option}, or stop what listens there.`, {
      host,
      port,
    })
  }
}

export class AppLoadError extends EddyError {
  override readonly code = 'EDDY_APP_LOAD'
  override readonly retryable = false

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`cannot load the application ${file}: ${problem}`, { file }, options)
  }
}

export class NotifyError extends EddyError {
  override readonly code = 'EDDY_NOTIFY'
  override readonly retryable = true

  /** `origin` is scheme, host and port alone: the rest of a URL may hold a token. */
  constructor(sink: string, origin: string, problem: string) {
    super(
      `the notice sink "${sink}" at ${origin} did not take a notice: ${problem}. Check its address and that it answers.`,
      { sink, origin },
    )
  }
}
