/**
 * Text from outside (keys, error messages, payloads) for a terminal: control characters are shown, not obeyed, so that
 * no event can move the cursor, recolour the screen or forge a line.
 */
export function printable(text: string, { keepLines = false }: { keepLines?: boolean } = {}): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) => {
    if (keepLines && (character === '\n' || character === '\t')) return character
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** At most `width` characters, the last one an ellipsis where something is missing. */
export function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
