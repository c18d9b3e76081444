import { type AwsError, invalidRequest, unavailable } from '../xray/index.ts';
import type { ReadError } from './search.ts';

/** Why a question was not answered, as AWS's clients read it. */
export function toReadFailure(error: ReadError): AwsError {
  return error.kind === 'invalid' ? invalidRequest(error.message) : unavailable(error.message);
}
