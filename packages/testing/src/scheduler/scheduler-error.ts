/** An answer of the service that is an error of its model. */
export class SchedulerError extends Error {
  override readonly name: SchedulerErrorName

  constructor(name: SchedulerErrorName, message: string) {
    super(message)
    this.name = name
  }
}

type SchedulerErrorName =
  | 'ConflictException'
  | 'InternalServerException'
  | 'ResourceNotFoundException'
  | 'ServiceQuotaExceededException'
  | 'ThrottlingException'
  | 'ValidationException'

/** HTTP status of each, as the model has it. */
export const ERROR_STATUS: Readonly<Record<SchedulerErrorName, number>> = {
  ConflictException: 409,
  InternalServerException: 500,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 402,
  ThrottlingException: 429,
  ValidationException: 400,
}
