import { spawn } from 'node:child_process'
import { openSync } from 'node:fs'
import { scriptOptions, tellParent } from '../../support/script-process.ts'

export interface GuardOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly logFile: string
  readonly user?: { readonly uid: number; readonly gid: number }
  /** The signal that this server takes for: stop now, orderly. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT'
}

const STOP_MS = 5_000

/** A program: runs a server, and ends it when its parent asks for it or is gone, however that went. */
async function guard(): Promise<void> {
  const { program, args, env, cwd, logFile, user, stopSignal } = scriptOptions<GuardOptions>()
  // Ctrl-C, and what ends a group of processes, reaches the guard too: it goes when its parent has gone, and not before.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  const log = openSync(logFile, 'a')
  const server = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
    detached: true,
    ...user,
  })
  server.once('error', (error) => {
    void tellParent({ failed: error.message }).then(() => process.exit(1))
  })
  server.once('exit', () => process.exit(0))
  server.once('spawn', () => void tellParent({ pid: server.pid }))
  process.once('disconnect', () => {
    server.kill(stopSignal)
    setTimeout(() => server.kill('SIGKILL'), STOP_MS)
  })
}

await guard()
