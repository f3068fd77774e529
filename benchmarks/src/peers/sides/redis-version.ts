import { Redis } from 'ioredis'

/** @throws Error unless the server puts every write on the disk before it answers */
export async function redisVersion(port: number): Promise<string> {
  const connection = new Redis(port, '127.0.0.1')
  try {
    const [, setting] = (await connection.config('GET', 'appendfsync')) as [string, string]
    const text = await connection.info()
    if (setting !== 'always' || !text.includes('aof_enabled:1'))
      throw new Error('this Redis does not put every write on the disk')
    return /^redis_version:(\S+)/m.exec(text)?.[1] ?? 'of unknown version'
  } finally {
    connection.disconnect()
  }
}
