import { expect, it } from 'vitest';
import { refusal, sentence, words } from './sentence';

it('begins a sentence with a capital', () => {
  expect(sentence('no change in the hour before')).toBe('No change in the hour before');
  expect(sentence('')).toBe('');
});

it('makes words of codes and leaves sentences alone', () => {
  expect(words('invalid-credentials')).toBe('invalid credentials');
  expect(words('fingerprint_mismatch')).toBe('fingerprint mismatch');
  expect(words('the re-sent alert was older')).toBe('the re-sent alert was older');
});

it('tells the code of a refusal from what the sender was told', () => {
  const told = 'not a body of alertmanager: its member `alerts` is missing';
  expect(refusal(`malformed-request: ${told}`)).toEqual({ code: 'malformed request', told });
  expect(refusal('token-revoked')).toEqual({ code: 'token revoked', told: '' });
});
