import { BEARABLE_CALLS } from './downstream.ts'
import { type Collapse, HICCUP_AT_SECOND, HICCUP_MS, LENGTH_SECONDS, type Second } from './play-collapse.ts'
import { axes, band, line, type Panel, px, timeAxis, yOf } from './svg-panel.ts'

const WIDTH = 960
const HEIGHT = 812
const LEFT = 78
const PLOT_WIDTH = WIDTH - LEFT - 24
const COLORS = { offered: '#64748b', handled: '#15803d', retries: '#c2410c', inFlight: '#0369a1' }
const BANDS = { hiccup: '#fee2e2', open: '#fef3c7', ramping: '#ecfccb' }

/** Both sides in one picture, one above the other over the same time. */
export function drawCollapse(guarded: Collapse, bare: Collapse): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="t d" font-family="ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif" font-size="13">
  <title id="t">A downstream that collapses under load, with protection and without</title>
  <desc id="d">Simulated. Events are offered at a steady rate. For a few seconds the downstream answers nothing. With protection the breaker opens, the downstream is left alone and comes round, the backlog is worked off by a ramp, and all is as before. Without protection as many calls as are allowed stay in flight, almost all fail, and it stays so to the end.</desc>
  <rect width="${WIDTH}" height="${HEIGHT}" rx="12" fill="#ffffff"/>
  ${legend()}
  ${side('With protection', guarded, 72)}
  ${side('Without protection', bare, 442)}
</svg>
`
}

function legend(): string {
  const lines = [
    ['offered', 'offered, events/s', true],
    ['handled', 'handled, events/s', false],
    ['retries', 'retries, calls/s', false],
    ['inFlight', 'calls in flight', false],
  ] as const
  const drawn = lines.map(([name, label, isDashed], index) => {
    const x = LEFT + index * 160
    const dash = isDashed ? ' stroke-dasharray="5 4"' : ''
    return `<path d="M${x} 26h26" stroke="${COLORS[name]}" stroke-width="2.5"${dash}/><text x="${x + 33}" y="30" fill="#0f172a">${label}</text>`
  })
  const bands = [
    ['hiccup', 'downstream answers nothing'],
    ['open', 'breaker open, or probing'],
    ['ramping', 'ramping up'],
  ] as const
  const boxes = bands.map(([name, label], index) => {
    const x = LEFT + index * 240
    return `<rect x="${x}" y="40" width="26" height="13" fill="${BANDS[name]}" stroke="#cbd5e1"/><text x="${x + 33}" y="51" fill="#0f172a">${label}</text>`
  })
  return [...drawn, ...boxes].join('\n  ')
}

function side(title: string, { seconds, appended, handled, dead, retrying }: Collapse, top: number): string {
  const rates: Panel = {
    left: LEFT,
    top: top + 26,
    width: PLOT_WIDTH,
    height: 170,
    seconds: LENGTH_SECONDS,
    most: 320,
  }
  const calls: Panel = { ...rates, top: rates.top + rates.height + 22, height: 80, most: 72 }
  const end = `${handled} of ${appended} events handled, ${retrying} waiting for a retry, ${dead} dead-lettered`
  const bearable = px(yOf(calls, BEARABLE_CALLS))
  return [
    `<text x="${LEFT}" y="${top + 14}" font-size="15" font-weight="600" fill="#0f172a">${title}</text>`,
    `<text x="${LEFT + PLOT_WIDTH}" y="${top + 14}" text-anchor="end" fill="#475569">at the end: ${end}</text>`,
    ...bands(rates, seconds),
    ...bands(calls, seconds),
    axes(rates, [0, 100, 200, 300], 'per second'),
    line(rates, { values: seconds.map((each) => each.retries), color: COLORS.retries }),
    line(rates, { values: seconds.map((each) => each.handled), color: COLORS.handled }),
    line(rates, { values: seconds.map((each) => each.offered), color: COLORS.offered, dashed: true }),
    axes(calls, [0, 32, 64], 'in flight'),
    `<path d="M${LEFT} ${bearable}h${PLOT_WIDTH}" stroke="#b91c1c" stroke-dasharray="2 4"/>`,
    `<text x="${LEFT + PLOT_WIDTH - 8}" y="${px(Number(bearable) - 6)}" text-anchor="end" font-size="12" fill="#b91c1c">what the downstream bears: ${BEARABLE_CALLS}</text>`,
    line(calls, { values: seconds.map((each) => each.inFlight), color: COLORS.inFlight }),
    timeAxis(calls, 10),
  ].join('\n  ')
}

function bands(panel: Panel, seconds: readonly Second[]): string[] {
  const drawn: string[] = []
  const stretch = (wanted: readonly string[], color: string): void => {
    const first = seconds.findIndex((each) => wanted.includes(each.breaker))
    if (first < 0) return
    const last = seconds.findLastIndex((each) => wanted.includes(each.breaker))
    drawn.push(band(panel, first, last + 1, color))
  }
  stretch(['ramping'], BANDS.ramping)
  stretch(['open', 'probing'], BANDS.open)
  drawn.push(band(panel, HICCUP_AT_SECOND, HICCUP_AT_SECOND + HICCUP_MS / 1_000, BANDS.hiccup))
  return drawn
}
