import { expect, it } from 'vitest';
import { confidenceWord } from './confidence';
import { count, counted, measured, money, percent } from './numbers';

it.each([
  [0, '0'],
  [1234, '1,234'],
  [9999, '9,999'],
  [12_345, '12.3k'],
  [20_000, '20k'],
  [1_240_000, '1.2M'],
])('%d counts as %s', (n, text) => {
  expect(count(n)).toBe(text);
});

it('speaks of one alert and of many', () => {
  expect([0, 1, 42].map((n) => counted(n, 'alert'))).toEqual(['0 alerts', '1 alert', '42 alerts']);
});

it.each([
  [0.14, '14%'],
  [0.0042, '0.42%'],
  [0.002, '0.2%'],
  [1, '100%'],
  [0, '0%'],
])('the ratio %d reads %s', (ratio, text) => {
  expect(percent(ratio)).toBe(text);
});

it.each([
  [0, '$0'],
  [0.0005, 'under $0.001'],
  [0.034, '$0.034'],
  [1, '$1.00'],
  [12.345, '$12.35'],
])('%d dollars read %s', (usd, text) => {
  expect(money(usd)).toBe(text);
});

it.each([
  [0.14, 'ratio', '14%'],
  [0.8, 's', '800 ms'],
  [4.8, 'seconds', '4.8 s'],
  [59, 's', '59 s'],
  [885, 's', '14m 45s'],
  [6900, 'seconds', '1h 55m'],
  [-90_000, 's', '-1d 1h'],
  [120_000, 'ms', '2m 00s'],
  [0.00002, 's', '20 µs'],
  [1_288_490_189, 'bytes', '1.2 GiB'],
  [2300, 'req/s', '2,300 req/s'],
  [41, null, '41'],
  [12.34, '/s', '12.3/s'],
  [2_097_152, 'bytes/s', '2 MiB/s'],
  [1.5, 'cores', '1.5 cores'],
  [Number.NaN, null, 'NaN'],
])('%d in %s reads %s', (value, unit, text) => {
  expect(measured(value, unit)).toBe(text);
});

it.each([
  [0.7, 'High'],
  [0.699, 'Medium'],
  [0.4, 'Medium'],
  [0.399, 'Low'],
])('a score of %d is %s confidence', (score, word) => {
  expect(confidenceWord(score)).toBe(word);
});
