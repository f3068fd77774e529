/** A plot of its own axes within a picture, all in pixels but for the values. */
export interface Panel {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  /** Of the horizontal axis, from 0. */
  readonly seconds: number
  /** Of the vertical axis, from 0. */
  readonly most: number
}

export interface Line {
  readonly values: readonly number[]
  readonly color: string
  readonly dashed?: boolean
}

/** Two digits are enough for the eye, and the same on every machine. */
export function px(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function xOf({ left, width, seconds }: Panel, second: number): number {
  return left + (width * second) / seconds
}

export function yOf({ top, height, most }: Panel, value: number): number {
  return top + height - (height * Math.min(most, value)) / most
}

/** Frame, grid and the labels of the vertical axis. */
export function axes(panel: Panel, ticks: readonly number[], unit: string): string {
  const { left, top, width, height } = panel
  const grid = ticks.map((tick) => {
    const y = px(yOf(panel, tick))
    return `<path d="M${left} ${y}H${left + width}" stroke="#e2e8f0"/><text x="${left - 8}" y="${px(Number(y) + 4)}" text-anchor="end" fill="#475569">${tick}</text>`
  })
  const middle = top + height / 2
  const title = `<text transform="translate(${left - 44} ${px(middle)}) rotate(-90)" text-anchor="middle" fill="#0f172a">${unit}</text>`
  const frame = `<path d="M${left} ${top}V${top + height}H${left + width}" fill="none" stroke="#475569"/>`
  return [...grid, title, frame].join('\n  ')
}

/** The labels of the horizontal axis. */
export function timeAxis(panel: Panel, everySeconds: number): string {
  const { left, top, width, height, seconds } = panel
  const labels: string[] = []
  for (let second = 0; second <= seconds; second += everySeconds) {
    const x = px(xOf(panel, second))
    labels.push(
      `<path d="M${x} ${top + height}v5" stroke="#475569"/><text x="${x}" y="${top + height + 19}" text-anchor="middle" fill="#475569">${second}</text>`,
    )
  }
  labels.push(
    `<text x="${left + width / 2}" y="${top + height + 37}" text-anchor="middle" fill="#0f172a">time, seconds</text>`,
  )
  return labels.join('\n  ')
}

/** Each value stands in the middle of its second. */
export function line(panel: Panel, { values, color, dashed }: Line): string {
  const points = values.map((value, second) => `${px(xOf(panel, second + 0.5))} ${px(yOf(panel, value))}`)
  const dash = dashed === true ? ' stroke-dasharray="5 4"' : ''
  return `<path d="M${points.join('L')}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`
}

export function band(panel: Panel, from: number, to: number, color: string): string {
  const left = xOf(panel, from)
  return `<rect x="${px(left)}" y="${panel.top}" width="${px(xOf(panel, to) - left)}" height="${panel.height}" fill="${color}"/>`
}
