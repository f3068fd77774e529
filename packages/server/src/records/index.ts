/** How texts become events, for programs that read them by themselves before they send them. */

export type { Parsed } from './parse-body.ts'
export { parseLine } from './parse-body.ts'
export type { ParsedRecord, RecordOptions } from './parsed-record.ts'
export { toNewEvent } from './to-new-event.ts'
