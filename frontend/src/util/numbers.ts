/** Counts, ratios, money and measured values as people read them. */

import { duration } from './time';

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const plural = new Intl.PluralRules('en');

/** `1,234`; from ten thousand on `12.3k`, from a million `1.2M`. */
export function count(n: number): string {
  if (n < 10_000) return plain.format(n);
  if (n < 1_000_000) return `${oneDecimal(n / 1000)}k`;
  return `${oneDecimal(n / 1_000_000)}M`;
}

/** The exact number, for hovering over a rounded one. */
export function exact(n: number): string {
  return plain.format(n);
}

/** `1 alert`, `42 alerts`. */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${plural.select(n) === 'one' ? one : many}`;
}

/** A ratio with two significant digits: `14%`, `0.42%`. */
export function percent(ratio: number): string {
  return `${significant(ratio * 100, 2)}%`;
}

/** Dollars: three decimals under one dollar, else two. */
export function money(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.001) return 'under $0.001';
  return `$${usd.toFixed(usd < 1 ? 3 : 2)}`;
}

/** A measured value in its unit, such as `14%`, `800 ms`, `4.8 s`, `14m 45s`, `1.2 GiB`, `2.3k req/s`. */
export function measured(value: number, unit: string | null): string {
  if (unit === 'ratio') return percent(value);
  if (unit === 'percent' || unit === '%') return `${significant(value, 2)}%`;
  if (unit === 'seconds' || unit === 's') return seconds(value);
  if (unit === 'ms' || unit === 'milliseconds') return seconds(value / 1000);
  if (unit === 'bytes' || unit === 'B') return bytes(value);
  if (unit === 'bytes/s') return `${bytes(value)}/s`;
  const number = Math.abs(value) >= 1000 ? count(value) : significant(value, 3);
  if (!unit) return number;
  return unit.startsWith('/') ? number + unit : `${number} ${unit}`;
}

function seconds(value: number): string {
  if (value === 0) return '0 s';
  if (Math.abs(value) < 0.001) return `${significant(value * 1e6, 2)} µs`;
  if (Math.abs(value) < 1) return `${significant(value * 1000, 3)} ms`;
  if (Math.abs(value) < 60) return `${significant(value, 2)} s`;
  return `${value < 0 ? '-' : ''}${duration(Math.abs(value) * 1000)}`;
}

function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let step = 0;
  let left = value;
  while (Math.abs(left) >= 1024 && step < units.length - 1) {
    left /= 1024;
    step += 1;
  }
  return `${significant(left, step === 0 ? 4 : 2)} ${units[step]}`;
}

/** Rounded to `digits` significant digits, never in exponent form and never cutting whole digits. */
export function significant(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) >= 10 ** digits) return plain.format(value);
  return String(Number(value.toPrecision(digits)));
}

function oneDecimal(n: number): string {
  return n.toFixed(1).replace(/\.0$/, '');
}
