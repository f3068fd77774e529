import { AwsError } from './aws-error.ts'
import type { AwsCall, AwsService, AwsStructure } from './aws-service.ts'
import { checkInput } from './model/check-input.ts'

/**
 * Calls an operation as every protocol does: an input of the right types is checked against the model first.
 *
 * @throws AwsError; `UnknownOperationException` for what the service does not have and for what is not served
 */
export async function callOperation(
  service: AwsService,
  name: string,
  input: AwsStructure,
  call: AwsCall,
): Promise<AwsStructure> {
  const operation = service.operations.get(name)
  if (operation === undefined || !Object.hasOwn(service.model.operations, name)) throw unknownOperation(name)
  checkInput(service.model, name, input)
  return await operation(input, call)
}

/** Kinesis says no more than the type; the query protocol names the action. */
export function unknownOperation(name: string): AwsError {
  const shown = /^[\w.-]{1,100}$/.test(name) ? name : '?'
  return new AwsError('UnknownOperationException', '', {
    queryCode: 'InvalidAction',
    queryMessage: `The action ${shown} is not valid for this endpoint.`,
  })
}
