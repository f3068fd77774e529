import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { InvalidOptionError } from '@eddy/core'
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import type { WorkerOptions } from './worker-options.ts'

/** What is made where the project is deployed from, or is no part of it. */
const LEFT_OUT = new Set(['node_modules', 'cdk.out', '.git', 'coverage', '.eddy', 'eddy-data'])

/** Time to hand shards over: less than what Fargate waits at most, 120 s. */
export const SHUTDOWN_SECONDS = 100
export const PORT = 4010

/** The image of a worker. Nothing is built here: a deployment builds what is staged. */
export function workerImage(
  scope: Construct,
  { directory, image }: WorkerOptions,
  entry: string,
): ContainerImage {
  if (image !== undefined) return image
  const project = resolve(directory ?? projectOf(entry))
  if (existsSync(join(project, 'Dockerfile'))) {
    const exclude = [...LEFT_OUT]
    return fromAsset(
      new DockerImageAsset(scope, 'Image', { directory: project, exclude, platform: Platform.LINUX_ARM64 }),
    )
  }
  const staged = mkdtempSync(join(tmpdir(), 'eddy-worker-'))
  try {
    cpSync(project, staged, {
      recursive: true,
      filter: (path) => !LEFT_OUT.has(path.split(sep).at(-1) ?? ''),
    })
    writeFileSync(join(staged, 'Dockerfile'), dockerfileOf(project, entry))
    return fromAsset(
      new DockerImageAsset(scope, 'Image', { directory: staged, platform: Platform.LINUX_ARM64 }),
    )
  } finally {
    rmSync(staged, { recursive: true, force: true })
  }
}

function fromAsset(asset: DockerImageAsset): ContainerImage {
  return ContainerImage.fromDockerImageAsset(asset)
}

function projectOf(entry: string): string {
  for (let folder = dirname(resolve(entry)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (folder === dirname(folder)) {
      throw new InvalidOptionError(
        'worker.directory',
        'the npm project of the application: no package.json is above it',
        entry,
      )
    }
  }
}

function dockerfileOf(project: string, entry: string): string {
  const file = relative(project, resolve(entry)).split(sep).join('/')
  if (file.startsWith('..')) {
    throw new InvalidOptionError('worker.directory', `a folder that has ${entry}`, project)
  }
  const { dependencies = {} } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
    dependencies?: Readonly<Record<string, string>>
  }
  if (!('eddy' in dependencies) || !existsSync(join(project, 'package-lock.json'))) {
    const expected =
      'an npm project with a package-lock.json whose dependencies have eddy, or one with a Dockerfile'
    throw new InvalidOptionError('worker.directory', expected, project)
  }
  return [
    'FROM public.ecr.aws/docker/library/node:24-slim',
    'WORKDIR /app',
    'ENV NODE_ENV=production',
    'COPY package.json package-lock.json ./',
    'RUN npm ci --omit=dev',
    'COPY . .',
    'USER node',
    `CMD ${JSON.stringify(['node', 'node_modules/eddy/bin/eddy.js', 'start', file, '--engine', 'aws', '--port', String(PORT), '--shutdown-timeout', `${SHUTDOWN_SECONDS}s`])}`,
    '',
  ].join('\n')
}
