import { expect, it } from 'vitest';
import { ApiError, fieldError } from './errors';

it('says as a sentence what the server says of a field', () => {
  const error = new ApiError(422, 'Some fields are not valid.', {
    errors: [{ field: 'password', message: 'this password is made of words that are guessed first' }],
  });
  expect(fieldError(error, 'password')).toBe('This password is made of words that are guessed first.');
  expect(fieldError(error, 'email')).toBeUndefined();
});
