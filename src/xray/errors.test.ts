import { expect, test } from 'vitest';
import { errorBody, errorHeaders, errorOfStatus, invalidRequest, resourceNotFound, validationError } from './errors.ts';

test('errorBody() and errorHeaders() say the type and the text as all clients look for them', () => {
  const error = invalidRequest('no');
  expect(JSON.parse(errorBody(error))).toEqual({ __type: 'InvalidRequestException', Message: 'no', message: 'no' });
  expect(errorHeaders(error)).toEqual({ 'content-type': 'application/json', 'x-amzn-errortype': 'InvalidRequestException' });
});

test('validationError() counts and shortens', () => {
  const { message } = validationError([
    { path: 'groupName', value: 'x'.repeat(5_000), rule: 'have length less than or equal to 32' },
    { path: 'startTime', value: undefined, rule: 'not be null' },
  ]);
  expect(message).toMatch(
    /^2 validation errors detected: Value 'x{100}…' at 'groupName' failed to satisfy constraint: Member must have length/,
  );
  expect(message).toMatch(/; Value null at 'startTime' failed to satisfy constraint: Member must not be null$/);
});

test('errorBody() names the resource of exceptions that have one', () => {
  expect(JSON.parse(errorBody(resourceNotFound('arn:x', 'none')))).toEqual({
    __type: 'ResourceNotFoundException',
    Message: 'none',
    message: 'none',
    ResourceName: 'arn:x',
  });
});

test.each([
  [413, 'RequestEntityTooLargeException'],
  [415, 'UnsupportedMediaTypeException'],
  [400, 'SerializationException'],
  [500, 'InternalFailure'],
  [503, 'InternalFailure'],
])('errorOfStatus() names %d %s', (status, type) => {
  expect(errorOfStatus(status, 'x')).toEqual({ status, type, message: 'x' });
});
