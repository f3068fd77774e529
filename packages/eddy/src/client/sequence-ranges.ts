/** [17, 20, 21, 22] as `17,20-22`: what the header `eddy-sequences` holds. */
export function formatSequenceRanges(sequences: readonly number[]): string {
  const ranges: string[] = []
  for (let from = 0; from < sequences.length; ) {
    let to = from
    while (sequences[to + 1] === (sequences[to] as number) + 1) to += 1
    ranges.push(from === to ? `${sequences[from]}` : `${sequences[from]}-${sequences[to]}`)
    from = to + 1
  }
  return ranges.join(',')
}
