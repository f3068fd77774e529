import type { JsonSchema } from '../route-doc.ts'
import { flag, integer, list, object, ref, text } from '../schema.ts'

export const problemSchemas: Readonly<Record<string, JsonSchema>> = {
  Problem: object(
    {
      type: text('`urn:eddy:error:` and the code.'),
      title: text(),
      status: integer(),
      detail: text('What was expected, what came, and the next step.'),
      'instance?': text('For failures of the server: the id in its log.'),
      code: text('Stable; listed in docs/ERRORS.md.'),
      retryable: flag('The same request may succeed later.'),
      details: {
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      },
      'failedCount?': integer('Appending: records of the request.'),
      'results?': list(ref('AppendResult')),
    },
    { description: 'An RFC 9457 problem document.' },
  ),
}
