import { expect, it } from 'vitest';
import { sentence, words } from './sentence';

it('begins a sentence with a capital', () => {
  expect(sentence('no change in the hour before')).toBe('No change in the hour before');
  expect(sentence('')).toBe('');
});

it('makes words of codes and leaves sentences alone', () => {
  expect(words('invalid-credentials')).toBe('invalid credentials');
  expect(words('fingerprint_mismatch')).toBe('fingerprint mismatch');
  expect(words('the re-sent alert was older')).toBe('the re-sent alert was older');
});
