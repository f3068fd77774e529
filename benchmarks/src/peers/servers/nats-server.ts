import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Place, Unavailable } from '../peer.ts'
import { DebianPackages, fetched } from './debian-packages.ts'
import { findProgram, findUnpacked } from './find-program.ts'
import { freePort, ServerProcess } from './server-process.ts'

const run = promisify(execFile)

/** `sync_interval: always` came with this version. Before it no publish waits for the disk. */
const LEAST_MINOR = 10
/** The first release of Debian that has it. */
const RELEASE = 'trixie'

/** NATS with JetStream whose every write is on the disk before it is answered. */
export async function startNats({ dir, programsDir }: Place): Promise<ServerProcess> {
  const program = await natsProgram(programsDir)
  const port = await freePort()
  mkdirSync(dir, { recursive: true })
  const config = join(dir, 'nats.conf')
  writeFileSync(
    config,
    [
      `listen: "127.0.0.1:${port}"`,
      `jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))}, sync_interval: always }`,
      '',
    ].join('\n'),
  )
  return await ServerProcess.start(port, {
    program,
    args: ['--config', config],
    env: {},
    cwd: dir,
    logFile: join(dir, 'nats.txt'),
    stopSignal: 'SIGTERM',
  })
}

/** What PATH has where it is new enough, else this Debian's, else that of the first release that has it. */
async function natsProgram(programsDir: string): Promise<string> {
  const found = findProgram('nats-server')
  if (found !== undefined && (await minorVersion(found)) >= LEAST_MINOR) return found
  // It is one file that needs nothing but the C library.
  const root = await fetched(`nats-server 2.${LEAST_MINOR} or later`, async () => {
    const packages = await DebianPackages.ofRelease(join(programsDir, RELEASE), RELEASE)
    return await packages.unpack('nats-server', 'alone')
  })
  const program = findUnpacked('nats-server', root)
  if (program === undefined) throw new Unavailable("Debian's package nats-server holds no such program")
  const minor = await minorVersion(program)
  if (minor >= LEAST_MINOR) return program
  throw new Unavailable(`nats-server 2.${minor} cannot put every message on the disk: 2.${LEAST_MINOR} can`)
}

/** Of version 2; later major versions count as later than every minor one. */
async function minorVersion(program: string): Promise<number> {
  const { stdout } = await run(program, ['--version'])
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(stdout) ?? []
  return Number(major) > 2 ? Number.POSITIVE_INFINITY : Number(minor)
}
