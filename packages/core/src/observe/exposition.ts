import type { Histogram } from './subscription-metrics.ts'

type Labels = Readonly<Record<string, string>>

/** Builds Prometheus' text exposition format 0.0.4. */
export class Exposition {
  readonly #lines: string[] = []
  readonly #declared = new Set<string>()

  counter(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#declare(name, help, 'counter')
    this.#sample(name, labels, value)
  }

  gauge(name: string, help: string, value: number, labels: Labels = {}): void {
    this.#declare(name, help, 'gauge')
    this.#sample(name, labels, value)
  }

  /** @param scale - multiplies bounds and sum: 0.001 turns milliseconds into seconds */
  histogram(name: string, help: string, histogram: Histogram, scale: number, labels: Labels = {}): void {
    this.#declare(name, help, 'histogram')
    histogram.bounds.forEach((bound, index) => {
      this.#sample(
        `${name}_bucket`,
        { ...labels, le: String(bound * scale) },
        histogram.counts[index] as number,
      )
    })
    this.#sample(`${name}_bucket`, { ...labels, le: '+Inf' }, histogram.count)
    this.#sample(`${name}_sum`, labels, histogram.sum * scale)
    this.#sample(`${name}_count`, labels, histogram.count)
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`
  }

  #declare(name: string, help: string, type: string): void {
    if (this.#declared.has(name)) return
    this.#declared.add(name)
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
  }

  #sample(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`)
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
