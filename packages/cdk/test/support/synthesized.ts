import { fileURLToPath } from 'node:url'
import type { AppDefinition } from '@eddy/core'
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { EddyApp, type EddyAppProps } from '../../src/index.ts'
import shop from '../apps/shop.ts'

export const SHOP: string = fileURLToPath(new URL('../apps/shop.ts', import.meta.url))

export interface Synthesized {
  readonly app: App
  readonly stack: Stack
  readonly eddy: EddyApp
  readonly template: Template
}

type Props = Partial<EddyAppProps> | ((stack: Stack) => Partial<EddyAppProps>)

/**
 * The shop on AWS, or another application. Without bundling, which has tests of its own: the folder of the application
 * is then the asset.
 */
export function synthesized(given: Props = {}, definition: AppDefinition = shop): Synthesized {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] }, analyticsReporting: false })
  const stack = new Stack(app, 'Shop')
  const props = typeof given === 'function' ? given(stack) : given
  const eddy = new EddyApp(stack, 'Eddy', { entry: SHOP, app: definition, name: 'shop', ...props })
  return { app, stack, eddy, template: Template.fromStack(stack) }
}

export interface Resource {
  readonly Type: string
  readonly Properties: Readonly<Record<string, unknown>>
  readonly DependsOn?: readonly string[]
}

/** The resources of a type, by their ids in the template. */
export function resourcesOf({ template }: Synthesized, type: string): ReadonlyMap<string, Resource> {
  return new Map(Object.entries(template.findResources(type) as Record<string, Resource>))
}
