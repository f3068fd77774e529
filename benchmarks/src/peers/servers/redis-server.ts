import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Place, Unavailable } from '../peer.ts'
import { DebianPackages, fetched, libraryPath } from './debian-packages.ts'
import { findProgram, findUnpacked } from './find-program.ts'
import { freePort, ServerProcess } from './server-process.ts'

/** Redis whose every write is in its append-only file, and on the disk, before it is answered. */
export async function startRedis({ dir, programsDir }: Place): Promise<ServerProcess> {
  const { program, libraries } = await redisProgram(programsDir)
  const port = await freePort()
  mkdirSync(dir, { recursive: true })
  return await ServerProcess.start(port, {
    program,
    args: [
      ['--port', String(port)],
      ['--bind', '127.0.0.1'],
      ['--dir', dir],
      ['--appendonly', 'yes'],
      ['--appendfsync', 'always'],
      // No snapshots, and no rewriting of the file, while the clock runs: both would only slow it down.
      ['--save', ''],
      ['--auto-aof-rewrite-percentage', '0'],
    ].flat(),
    env: libraries,
    cwd: dir,
    logFile: join(dir, 'redis.txt'),
    stopSignal: 'SIGTERM',
  })
}

async function redisProgram(
  programsDir: string,
): Promise<{ readonly program: string; readonly libraries: Readonly<Record<string, string>> }> {
  const found = findProgram('redis-server')
  if (found !== undefined) return { program: found, libraries: {} }
  const root = await fetched('redis-server', async () => {
    const packages = await DebianPackages.ofSystem(programsDir)
    return await packages.unpack('redis-server', 'with dependencies')
  })
  const program = findUnpacked('redis-server', root)
  if (program === undefined) throw new Unavailable("Debian's package redis-server holds no such program")
  return { program, libraries: { LD_LIBRARY_PATH: libraryPath(root) } }
}
