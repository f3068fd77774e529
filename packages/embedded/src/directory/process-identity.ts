import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Which process, so that a process number used again is not taken for the old owner. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since boot at which the process started; '' where the system does not say. */
  readonly startTicks: string
  /** Changes at every boot of the machine; '' where the system does not say. */
  readonly bootId: string
  readonly host: string
  /** Process numbers mean something only within it (containers). */
  readonly pidNamespace: string
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    bootId: read('/proc/sys/kernel/random/boot_id').trim(),
    host: hostname(),
    pidNamespace: namespaceOf(),
  }
}

/** `alive`, `gone`, or `unknown` when it ran where this process cannot look. */
export function stateOfProcess(other: ProcessIdentity): 'alive' | 'gone' | 'unknown' {
  const own = ownIdentity()
  const isSameBoot = other.bootId === own.bootId
  if (other.host === own.host && !isSameBoot) return 'gone'
  if (other.host !== own.host || other.pidNamespace !== own.pidNamespace) return 'unknown'
  if (other.startTicks !== '') return startTicksOf(other.pid) === other.startTicks ? 'alive' : 'gone'
  return isRunning(other.pid) ? 'alive' : 'gone'
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 22 of /proc/PID/stat; undefined when the process is gone, a zombie, or /proc is missing. */
function startTicksOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  // The second field is a name in parentheses that may itself hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function namespaceOf(): string {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return ''
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
