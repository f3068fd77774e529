import { Server } from 'node:net'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Runs one emulator until whoever started it is gone: `node start.mjs fauxqs`. Prints a line of JSON for each port that it
 * listens on: the one that it asked for, and the one that it has. Both programs would listen on every interface: here it
 * is loopback, and a free port.
 */
const EMULATORS = {
  async fauxqs() {
    const { startFauxqs } = await import('fauxqs')
    await startFauxqs({ port: 4566, logger: false })
  },
  async 'kinesis-local'() {
    const main = import.meta.resolve('kinesis-local')
    const quick = ['CREATE_STREAM', 'DELETE_STREAM', 'SPLIT_SHARD', 'MERGE_SHARDS', 'UPDATE_SHARD_COUNT']
    Object.assign(process.env, {
      LOG_LEVEL: 'ERROR',
      SHARD_LIMIT: '500',
      ...Object.fromEntries(
        [...quick, 'REGISTER_STREAM_CONSUMER'].map((step) => [`${step}_DURATION`, '10ms']),
      ),
    })
    // It reads its certificate from the folder that it runs in.
    process.chdir(dirname(fileURLToPath(main)))
    await import(main)
  },
}

const listen = Server.prototype.listen
Server.prototype.listen = function listenOnLoopback(...args) {
  const asked = typeof args[0] === 'object' ? args[0].port : args[0]
  this.once('listening', () => console.log(JSON.stringify({ asked, port: this.address().port })))
  return listen.call(
    this,
    { port: 0, host: '127.0.0.1' },
    args.findLast((arg) => typeof arg === 'function'),
  )
}

process.stdin.on('end', () => process.exit()).resume()

const [name] = process.argv.slice(2)
const start = EMULATORS[name]
if (start === undefined) {
  console.error(`"${name}": expected one of ${Object.keys(EMULATORS).join(', ')}`)
  process.exit(2)
}
await start()
