/** The ARN of a stream. */
export function streamArn(region: string, accountId: string, name: string): string {
  return `arn:aws:kinesis:${region}:${accountId}:stream/${name}`
}

export interface StreamArn {
  readonly region: string
  readonly accountId: string
  readonly name: string
}

/** Undefined for what is no stream's ARN, such as a consumer's. */
export function parseStreamArn(arn: string): StreamArn | undefined {
  const parts = /^arn:aws[^:]*:kinesis:([^:]+):(\d{12}):stream\/([a-zA-Z0-9_.-]{1,128})$/.exec(arn)
  if (parts === null) return undefined
  const [, region, accountId, name] = parts as unknown as [string, string, string, string]
  return { region, accountId, name }
}
