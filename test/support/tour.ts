/** A command of the tour in README.md, and what the README says it prints. */
export interface TourStep {
  readonly command: string
  readonly output: string
}

const BLOCK = /```console\n([\s\S]*?)```/g

/** The commands of every ```console block, in order. A command begins with `$ `; what follows is its output. */
export function tourSteps(markdown: string): TourStep[] {
  return [...markdown.matchAll(BLOCK)].flatMap(([, body = '']) =>
    body
      .split(/^\$ /m)
      .slice(1)
      .map((step) => {
        const [command = '', ...output] = step.trimEnd().split('\n')
        return { command, output: output.join('\n') }
      }),
  )
}

/** The same text with these outputs in place of what it had. */
export function withOutputs(markdown: string, outputs: readonly string[]): string {
  let next = 0
  return markdown.replace(BLOCK, (_block, body: string) => {
    const steps = body
      .split(/^\$ /m)
      .slice(1)
      .map((step) => [`$ ${step.split('\n')[0]}`, outputs[next++]].filter(Boolean).join('\n'))
    return `\`\`\`console\n${steps.join('\n')}\n\`\`\``
  })
}

/** Leaves out what differs from run to run: times, durations, ids by chance, and which of equal failures came last. */
export function comparable(output: string): string {
  return output
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\d{15}-[0-9a-f]{8}/g, 'JOB')
    .replace(/\b\d[\d.]* (ms|s|m|seconds|minutes)\b/g, 'DURATION')
    .replace(/mail:[0-9a-f]{32}:[\d.]+( mail server down: order o-\d)?/g, 'mail:ID')
    .replace(/ {2,}/g, '  ')
    .trimEnd()
}
