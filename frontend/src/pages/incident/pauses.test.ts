import { expect, it } from 'vitest';
import { morning } from './pauses';

it.each([
  ['2026-01-24T14:00:00', '2026-01-25T09:00:00', 'Until 9:00 tomorrow'],
  ['2026-01-24T06:00:00', '2026-01-25T09:00:00', 'Until 9:00 tomorrow'],
  ['2026-01-31T23:59:59', '2026-02-01T09:00:00', 'Until 9:00 tomorrow'],
  ['2026-01-24T03:02:11', '2026-01-24T09:00:00', 'Until 9:00 this morning'],
])('at %s the morning is %s', (now, at, label) => {
  expect(morning(Date.parse(now))).toEqual({ at: Date.parse(at), label });
});
