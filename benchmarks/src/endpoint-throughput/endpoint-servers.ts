import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, ServerProcess } from '../peers/servers/server-process.ts'

export type Side = 'eddy' | 'kinesalite (LevelDB)' | 'kinesalite (memory)'

export interface EndpointServer {
  readonly process: ServerProcess
  readonly port: number
}

/** The endpoint of this side, alone in its process, on an empty folder. */
export async function startEndpoint(side: Side, dir: string): Promise<EndpointServer> {
  mkdirSync(dir, { recursive: true })
  const port = await freePort()
  const process = await ServerProcess.start(port, {
    program: globalThis.process.execPath,
    args: side === 'eddy' ? await eddyArguments(dir, port) : kinesaliteArguments(side, dir, port),
    env: { NODE_ENV: 'production' },
    cwd: dir,
    logFile: join(dir, 'server.txt'),
    stopSignal: 'SIGTERM',
  })
  return { process, port }
}

/** Streams have no limits, and are on the disk before they are answered. */
async function eddyArguments(dir: string, port: number): Promise<readonly string[]> {
  const program = fileURLToPath(new URL('../bin/eddy.js', import.meta.resolve('eddy')))
  return [
    ...[program, 'start', '--data', join(dir, 'data'), '--port', String(await freePort())],
    ...['--aws-port', String(port), '--aws-limits', 'off', '--aws-instant'],
  ]
}

function kinesaliteArguments(side: Side, dir: string, port: number): readonly string[] {
  const program = fileURLToPath(import.meta.resolve('kinesalite/cli.js'))
  return [
    ...[program, '--port', String(port), '--createStreamMs', '0', '--shardLimit', '100'],
    ...(side === 'kinesalite (LevelDB)' ? ['--path', join(dir, 'data')] : []),
  ]
}
