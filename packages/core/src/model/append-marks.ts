/** The mark that each event of an append is sent under, whenever it is sent. */
export interface AppendMarks {
  /** 1 to 256 characters. */
  readonly producerId: string
  /** One an event, each given to one event of this producer. */
  readonly sequences: readonly number[]
}
