import { type DecodeOptions, decode, encode, Token, Tokenizer, Type } from 'cborg'
import { AwsError } from '../aws-error.ts'
import type { AwsAnswer } from '../aws-request.ts'
import type { AwsStructure } from '../aws-service.ts'
import { decodeCbor } from './decode-cbor.ts'
import { errorMembers } from './error-members.ts'
import type { WireProtocol } from './wire-protocol.ts'

/** Values of one document (I6): 500 records of four members and their names are 4,000. */
const MAX_CBOR_TOKENS = 50_000
/** Epoch time; Kinesis counts it in milliseconds, as the Java SDK does on both sides. */
const TIME_TAG = 1

/** CBOR as the Java SDK and the KPL speak it to Kinesis. */
export const cborProtocol: WireProtocol = {
  name: 'cbor',
  decode: (model, operation, { body }) => decodeCbor(model, operation, parseCbor(body)),
  encode: (_model, _operation, output) => cborAnswer(200, output),
  encodeError: (model, error) => cborAnswer(error.status, errorMembers(model, error)),
}

const DECODING: DecodeOptions = {
  // Jackson, which the Java SDK writes with, sends lengths wider than need be and maps of no stated length.
  strict: false,
  allowIndefinite: true,
  rejectDuplicateMapKeys: true,
  allowUndefined: false,
  allowBigInt: true,
  allowInfinity: false,
  allowNaN: false,
  tags: { [TIME_TAG]: (content) => timeOf(content()) },
}

function cborAnswer(status: number, output: AwsStructure): AwsAnswer {
  const body = encode(output, {
    ignoreUndefinedProperties: true,
    typeEncoders: {
      Date: (date: Date) => [new Token(Type.tag, TIME_TAG), new Token(Type.uint, date.getTime())],
    },
  })
  return { status, headers: { 'content-type': 'application/x-amz-cbor-1.1' }, body }
}

function parseCbor(body: Uint8Array): unknown {
  try {
    return decode(body, { ...DECODING, tokenizer: new BoundedTokenizer(body, DECODING) })
  } catch {
    // Also a nesting that is too deep for the stack.
    throw new AwsError('SerializationException', '')
  }
}

function timeOf(epochMs: unknown): Date {
  const time = typeof epochMs === 'number' ? new Date(epochMs) : undefined
  if (time === undefined || Number.isNaN(time.getTime())) throw new Error('no time')
  return time
}

class BoundedTokenizer extends Tokenizer {
  #left = MAX_CBOR_TOKENS

  override next(): Token {
    this.#left -= 1
    if (this.#left < 0) throw new Error('too many values')
    return super.next()
  }
}
