import { spawn } from 'node:child_process'

/** Settings of the person who runs it must not change what is counted. */
const FIXED_SETTINGS = [
  'diff.relative=false',
  'diff.orderFile=/dev/null',
  'log.showSignature=false',
  'log.showRoot=true',
  'log.follow=false',
  'log.mailmap=false',
  'i18n.logOutputEncoding=UTF-8',
].flatMap((setting) => ['-c', setting])

/**
 * Runs git in a repository and yields what it writes, chunk by chunk. Git is stopped when the caller stops reading.
 *
 * @throws GitError when git cannot be run or fails
 */
export async function* runGit(repository: string, args: readonly string[]): AsyncGenerator<Buffer> {
  const child = spawn('git', ['-C', repository, ...FIXED_SETTINGS, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    if (complaint.length < 4_096) complaint += text
  })
  const ended = new Promise<string | undefined>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ENOENT' ? 'there is no git on the PATH' : error.message)
    })
    child.once('close', (code) => resolve(code === 0 ? undefined : complaint.trim() || `exit code ${code}`))
  })
  try {
    for await (const chunk of child.stdout) yield chunk as Buffer
    const problem = await ended
    if (problem !== undefined) throw new GitError(args[0] ?? '', repository, problem)
  } finally {
    if (child.exitCode === null) child.kill()
  }
}

/** All that git wrote, without the newline at the end. */
export async function gitText(repository: string, args: readonly string[]): Promise<string> {
  return (await gitBytes(repository, args)).toString('utf8').trimEnd()
}

export async function gitBytes(repository: string, args: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of runGit(repository, args)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export class GitError extends Error {
  constructor(command: string, repository: string, problem: string) {
    super(`git ${command} in ${repository}: ${problem}`)
    this.name = 'GitError'
  }
}
