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
  if (operation === undefined || !Object.hasOwn(service.model.operations, name)) throw unknownOperation()
  checkInput(service.model, name, input)
  return await operation(input, call)
}

/** The service says no more than this; the query protocol has words of its own. */
export function unknownOperation(): AwsError {
  return new AwsError('UnknownOperationException', '', { queryCode: 'InvalidAction' })
}
