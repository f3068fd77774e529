import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { EddyApp } from './eddy-app.ts'
import type { EddyAppProps } from './options/eddy-app-props.ts'

/** What a template can be made of without any other construct: plain data. */
export type SynthOptions = Pick<
  EddyAppProps,
  'entry' | 'name' | 'streams' | 'subscriptions' | 'http' | 'httpAuth' | 'patientMappings' | 'sdk'
> & {
  /** Folder of the cloud assembly: template, bundles, what the `cdk` command deploys. */
  readonly outDir: string
}

export interface SynthResult {
  /** The template, as a file of `outDir`. */
  readonly template: string
  readonly stack: string
  /** By type, in order: how many there are. */
  readonly resources: Readonly<Record<string, number>>
}

/**
 * Writes the template of an application, and the assembly that `cdk deploy --app DIR` takes. It asks no account: account
 * and region are those that it is deployed to.
 *
 * @throws InvalidOptionError, AppLoadError
 */
export function synth({ outDir, ...props }: SynthOptions): SynthResult {
  const directory = resolve(outDir)
  mkdirSync(directory, { recursive: true })
  const app = new App({ outdir: directory, analyticsReporting: false })
  const stack = new Stack(app, props.name, { description: `Eddy: ${props.name}` })
  new EddyApp(stack, 'Eddy', props)
  const assembly = app.synth()
  const { template, templateFile } = assembly.getStackArtifact(stack.artifactId)
  const resources: Record<string, number> = {}
  const made = (template as { Resources: Readonly<Record<string, { Type: string }>> }).Resources
  for (const { Type } of Object.values(made)) resources[Type] = (resources[Type] ?? 0) + 1
  writeFileSync(join(directory, '.gitignore'), '*\n')
  return {
    template: join(directory, templateFile),
    stack: stack.stackName,
    resources: Object.fromEntries(Object.entries(resources).sort(([a], [b]) => (a < b ? -1 : 1))),
  }
}
