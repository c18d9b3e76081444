/** Errors as AWS clients decode them: the type in a header and in the body, the text under both spellings that clients look for. */

/** An answer that is not 200. */
export interface AwsError {
  /** HTTP status. Clients retry 429, 500, 502, 503 and 504, and no other. */
  readonly status: number;
  /** The exception's name, such as `InvalidRequestException`. */
  readonly type: string;
  readonly message: string;
  /** What an exception that has `ResourceName` says there. */
  readonly resourceName?: string;
}

/** No resource of this ARN, or no job of this token. */
export function resourceNotFound(resourceName: string, message: string): AwsError {
  return { status: 404, type: 'ResourceNotFoundException', message, resourceName };
}

/** The other exceptions of the model; all are 400. */
export function modelled(
  type:
    | 'InvalidPolicyRevisionIdException'
    | 'LockoutPreventionException'
    | 'MalformedPolicyDocumentException'
    | 'PolicyCountLimitExceededException'
    | 'PolicySizeLimitExceededException'
    | 'RuleLimitExceededException'
    | 'TooManyTagsException',
  message: string,
  resourceName?: string,
): AwsError {
  return { status: 400, type, message, ...(resourceName !== undefined && { resourceName }) };
}

/** A parameter is missing, out of range, or refers to nothing. */
export function invalidRequest(message: string): AwsError {
  return { status: 400, type: 'InvalidRequestException', message };
}

/** The body is not JSON, or a member has the wrong JSON type. */
export function serializationError(message: string): AwsError {
  return { status: 400, type: 'SerializationException', message };
}

/** Come back later. */
export function throttled(message: string): AwsError {
  return { status: 429, type: 'ThrottledException', message };
}

/** The store cannot be asked now. */
export function unavailable(message: string): AwsError {
  return { status: 503, type: 'ServiceUnavailable', message };
}

export function tooLarge(message: string): AwsError {
  return { status: 413, type: 'RequestEntityTooLargeException', message };
}

/** Our own bug. */
export function internalFailure(message: string): AwsError {
  return { status: 500, type: 'InternalFailure', message };
}

/** No operation has this path. */
export function unknownOperation(method: string, path: string): AwsError {
  return { status: 404, type: 'UnknownOperationException', message: `There is no X-Ray operation at ${method} ${path.slice(0, 200)}.` };
}

/** Any other status that a server answers, in AWS's names where there are some. */
export function errorOfStatus(status: number, message: string): AwsError {
  if (status === 413) return tooLarge(message);
  if (status === 415) return { status, type: 'UnsupportedMediaTypeException', message };
  return status >= 500 ? { ...internalFailure(message), status } : { ...serializationError(message), status };
}

/** The headers of an error. */
export function errorHeaders(error: AwsError): Readonly<Record<string, string>> {
  return { 'content-type': 'application/json', 'x-amzn-errortype': error.type };
}

/** The body of an error. `Message` is the model's spelling, `message` what .NET and Go v1 read. */
export function errorBody(error: AwsError): string {
  const resource = error.resourceName === undefined ? {} : { ResourceName: error.resourceName };
  return JSON.stringify({ __type: error.type, Message: error.message, message: error.message, ...resource });
}

/** A broken rule about one member of a request, e.g. `Value '33' at 'groupName' failed to satisfy constraint: …`. */
export interface ConstraintFailure {
  /** In camel case, as AWS writes it; list elements as `ids.1.member`. */
  readonly path: string;
  readonly value: unknown;
  /** Continues "Member must …", e.g. `not be null`. */
  readonly rule: string;
}

const LONGEST_VALUE = 100;

/** All broken rules of one request in one message, as AWS's services put it. */
export function validationError(failures: readonly ConstraintFailure[]): AwsError {
  const parts = failures.map(
    ({ path, value, rule }) => `Value ${show(value)} at '${path}' failed to satisfy constraint: Member must ${rule}`,
  );
  const count = `${failures.length} validation error${failures.length === 1 ? '' : 's'} detected`;
  return invalidRequest(`${count}: ${parts.join('; ')}`);
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return `'${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}'`;
}
