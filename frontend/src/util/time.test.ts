import { describe, expect, it } from 'vitest';
import { age, duration, instant, stepDuration, zoneName } from './time';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.each([
  [0, '0s'],
  [-5, '0s'],
  [42 * SECOND, '42s'],
  [59.6 * SECOND, '1m 00s'],
  [3 * MINUTE + 41 * SECOND, '3m 41s'],
  [2 * HOUR + 5 * MINUTE, '2h 05m'],
  [23 * HOUR + 59 * MINUTE + 59.9 * SECOND, '1d 0h'],
  [3 * DAY + 4 * HOUR, '3d 4h'],
])('%d ms lasts %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

it.each([
  [4, '4 ms'],
  [2210, '2.2 s'],
  [41_000, '41s'],
])('a step of %d ms took %s', (ms, text) => {
  expect(stepDuration(ms)).toBe(text);
});

it.each([
  [9999, '9s'],
  [10 * MINUTE + 59_999, '10m'],
  [5 * HOUR, '5h'],
  [12 * DAY, '12d'],
])('%d ms ago is %s', (ms, text) => {
  expect(age(ms)).toBe(text);
});

describe('an instant', () => {
  const now = Date.UTC(2026, 10, 23, 12);

  it('is a clock time with its zone on the same day', () => {
    expect(instant(Date.UTC(2026, 10, 23, 3, 2, 11), 'utc', now)).toBe('03:02:11 UTC');
  });

  it('names another day', () => {
    expect(instant(Date.UTC(2026, 10, 21, 23, 10, 2), 'utc', now)).toBe('Sat 21 Nov 23:10:02 UTC');
  });

  it('names another year', () => {
    expect(instant(Date.UTC(2025, 0, 3, 0, 0, 0), 'utc', now)).toBe('Fri 3 Jan 2025 00:00:00 UTC');
  });

  it('is at midnight 00, never 24', () => {
    expect(instant(Date.UTC(2026, 10, 23, 0, 0, 5), 'utc', now)).toBe('00:00:05 UTC');
  });

  it('always has a zone name', () => {
    expect(zoneName(now, 'utc')).toBe('UTC');
    expect(zoneName(now, 'local')).not.toBe('');
  });
});
