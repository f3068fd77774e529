import type { Paint } from './paint.ts'
import { printable } from './printable.ts'

export interface Column<Row> {
  readonly title: string
  readonly align?: 'left' | 'right'
  readonly value: (row: Row) => string | number
}

/** Rows under a heading, columns two spaces apart; one line a row. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], paint: Paint): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(String(value(row)))))
  const widths = columns.map(({ title }, index) =>
    cells.reduce((width, row) => Math.max(width, (row[index] as string).length), title.length),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => {
        const width = widths[index] as number
        return columns[index]?.align === 'right' ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const heading = paint.bold(line(columns.map(({ title }) => title)))
  return [heading, ...cells.map(line)].join('\n')
}
