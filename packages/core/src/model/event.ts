/** A CloudEvents 1.0 event as Eddy hands it to handlers. Extension attributes stand beside the named ones. */
export interface EddyEvent<Data = unknown> {
  readonly specversion: '1.0'
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject?: string
  /** RFC 3339. */
  readonly time?: string
  readonly datacontenttype?: string
  readonly dataschema?: string
  readonly data: Data
  /** CloudEvents' partitioning extension: the partition key. */
  readonly partitionkey?: string
  readonly [extension: string]: unknown
}

/** What a producer states of an event; the rest of the envelope is filled in. */
export interface NewEvent<Data = unknown> {
  /** Partition key, 1 to 256 characters: events of one key are handled in order. */
  readonly key: string
  readonly data: Data
  /** Default: `<stream>.event`. */
  readonly type?: string
  /**
   * Default: a new UUID, or `<producer id>/<sequence>` when the append names them. Stable ids make repeated appends
   * recognisable downstream.
   */
  readonly id?: string
  /** URI reference of the producer. Default: `eddy`. */
  readonly source?: string
  readonly subject?: string
  /** RFC 3339. Default: now. */
  readonly time?: string
  /** URI of the schema that `data` follows. */
  readonly dataschema?: string
  /** CloudEvents extension attributes: lower-case letters and digits. */
  readonly extensions?: Readonly<Record<string, string | number | boolean>>
  /** Decimal 128-bit integer that places the event instead of the key's MD5. */
  readonly explicitHashKey?: string
}
