/** Durations, instants and ages in words, in one named zone. */

/** Which clock the page shows. */
export type Zone = 'utc' | 'local';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in milliseconds as `42s`, `3m 41s`, `2h 05m` or `3d 4h`. */
export function duration(ms: number): string {
  const whole = Math.max(0, Math.round(ms / SECOND)) * SECOND;
  if (whole < MINUTE) return `${whole / SECOND}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m ${pad(Math.floor((whole % MINUTE) / SECOND))}s`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)}h ${pad(Math.floor((whole % HOUR) / MINUTE))}m`;
  return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
}

/** A step's duration in milliseconds, with a decimal where seconds are too coarse: `120 ms`, `2.9 s`, `41s`. */
export function stepDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 30 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  return duration(ms);
}

/** An age in its largest unit: `10s`, `14m`, `3h`, `12d`. */
export function age(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < DAY) return `${Math.floor(whole / HOUR)}h`;
  return `${Math.floor(whole / DAY)}d`;
}

/** The time of day with seconds, such as `03:02:11`. */
export function clock(ms: number, zone: Zone): string {
  const part = parts(ms, zone);
  return `${part.hour}:${part.minute}:${part.second}`;
}

/** An instant with its zone: `03:02:11 UTC`, with the date when it is not today, and the year when it is not this one. */
export function instant(ms: number, zone: Zone, now: number): string {
  return `${dated(ms, zone, now)}${clock(ms, zone)} ${zoneName(ms, zone)}`;
}

/** The same instant without the zone, for lists whose heading names it. */
export function instantBare(ms: number, zone: Zone, now: number): string {
  return `${dated(ms, zone, now)}${clock(ms, zone)}`;
}

/** An instant to the minute, such as `14:30`, with the date when it is not today. */
export function minute(ms: number, zone: Zone, now: number): string {
  const part = parts(ms, zone);
  return `${dated(ms, zone, now)}${part.hour}:${part.minute}`;
}

/** A day such as `Sat 21 Nov`. */
export function day(ms: number, zone: Zone): string {
  const part = parts(ms, zone);
  return `${part.weekday} ${part.day} ${part.month}`;
}

/** What the zone is called at that instant: `UTC`, `CET`, `GMT+5:30`. */
export function zoneName(ms: number, zone: Zone): string {
  if (zone === 'utc') return 'UTC';
  const named = format({ timeZoneName: 'short' }, zone)
    .formatToParts(ms)
    .find((part) => part.type === 'timeZoneName');
  return named?.value ?? 'local';
}

/** RFC 3339 text as milliseconds. */
export function ms(rfc3339: string): number {
  return Date.parse(rfc3339);
}

function dated(at: number, zone: Zone, now: number): string {
  const then = parts(at, zone);
  const today = parts(now, zone);
  if (then.year !== today.year) return `${then.weekday} ${then.day} ${then.month} ${then.year} `;
  if (then.month !== today.month || then.day !== today.day)
    return `${then.weekday} ${then.day} ${then.month} `;
  return '';
}

type Parts = Record<'year' | 'month' | 'day' | 'weekday' | 'hour' | 'minute' | 'second', string>;

function parts(at: number, zone: Zone): Parts {
  const out: Parts = { year: '', month: '', day: '', weekday: '', hour: '', minute: '', second: '' };
  const pieces = format(
    {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    },
    zone,
  ).formatToParts(at);
  for (const piece of pieces) if (piece.type in out) out[piece.type as keyof Parts] = piece.value;
  return out;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions, zone: Zone): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat('en-GB', zone === 'utc' ? { ...options, timeZone: 'UTC' } : options);
    formats.set(key, made);
  }
  return made;
}

function pad(n: number): string {
  return String(n).padStart(2, '0');
}
