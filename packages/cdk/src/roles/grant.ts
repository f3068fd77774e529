/** The part of an ARN that is the same for everything in one deployment: tokens of a template, or values. */
export interface Place {
  readonly partition: string
  readonly region: string
  readonly account: string
}

/** One statement of a role: actions of one service on named resources. */
export interface Grant {
  /** The prefix of its actions, such as `dynamodb`. */
  readonly service: string
  /** Without the service. */
  readonly actions: readonly string[]
  /** ARNs; `*` only where `wildcard` says why. */
  readonly resources: readonly string[]
  /** Required for a resource with `*` in it: why no narrower one does. */
  readonly wildcard?: string
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** `tail` is what follows the account, such as `table/orders`. */
export function arn({ partition, region, account }: Place, service: string, tail: string): string {
  return `arn:${partition}:${service}:${region}:${account}:${tail}`
}
