import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DebianPackages } from '@eddy/benchmarks/debian-packages'
import type { TestProject } from 'vitest/node'

const run = promisify(execFile)
/** Debian's own: another Python on PATH does not see Debian's packages. */
const PYTHON = '/usr/bin/python3'

/** Where Debian's awscli and boto3 are, or why they are not there. */
export type DebianClients =
  | {
      readonly python: string
      readonly aws: string
      /** For `PYTHONPATH`; empty when the packages are installed. */
      readonly pythonPath: string
    }
  | { readonly unavailable: string }

declare module 'vitest' {
  interface ProvidedContext {
    debianClients: DebianClients
  }
}

/** Uses what Debian has installed; else unpacks the packages into a temporary folder, which it removes at the end. */
export default async function fetchDebianClients(project: TestProject): Promise<() => Promise<void>> {
  if ((await isInstalled('awscli')) && (await isInstalled('python3-boto3'))) {
    project.provide('debianClients', { python: PYTHON, aws: '/usr/bin/aws', pythonPath: '' })
    return async () => {}
  }
  const dir = await mkdtemp(join(tmpdir(), 'eddy-clients-'))
  try {
    const packages = await DebianPackages.ofSystem(dir)
    await packages.unpack('awscli', 'with dependencies')
    const root = await packages.unpack('python3-boto3', 'with dependencies')
    const pythonPath = join(root, 'usr/lib/python3/dist-packages')
    project.provide('debianClients', { python: PYTHON, aws: join(root, 'usr/bin/aws'), pythonPath })
  } catch (error) {
    const unavailable = `Debian's awscli and python3-boto3 are not installed and were not fetched: ${(error as Error).message}. On Debian: apt-get install awscli python3-boto3`
    project.provide('debianClients', { unavailable })
  }
  return async () => await rm(dir, { recursive: true, force: true })
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    const { stdout } = await run('dpkg-query', ['--status', name])
    return /^Status: install ok installed$/m.test(stdout)
  } catch {
    return false
  }
}
