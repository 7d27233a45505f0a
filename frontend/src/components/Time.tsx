/** Instants and ages on the page, all in the one zone the reader chose. */
import type { ReactNode } from 'react';
import { age, duration, instant, instantBare, minute, ms, type Zone, zoneName } from '../util/time';
import { useNow } from './clock';
import { usePrefs } from './prefs';

/** An instant with its zone. Hovering names it in the other zone too. */
export function Instant({ at, zone = true }: { at: string; zone?: boolean }) {
  const { zone: chosen } = usePrefs();
  const now = useNow(60_000);
  const text = zone ? instant(ms(at), chosen, now) : instantBare(ms(at), chosen, now);
  return (
    <time dateTime={at} title={bothZones(ms(at), chosen, now)} className="whitespace-nowrap tabular-nums">
      {text}
    </time>
  );
}

/** A time that lies ahead, to the minute. */
export function Until({ at, zone = false }: { at: string; zone?: boolean }) {
  const { zone: chosen } = usePrefs();
  const now = useNow(60_000);
  return (
    <time dateTime={at} title={bothZones(ms(at), chosen, now)} className="whitespace-nowrap tabular-nums">
      {minute(ms(at), chosen, now)}
      {zone && ` ${zoneName(ms(at), chosen)}`}
    </time>
  );
}

/** How long ago, in its largest unit; the full instant on hover. */
export function TimeAgo({ at, prefix, suffix }: { at: string; prefix?: ReactNode; suffix?: ReactNode }) {
  const { zone } = usePrefs();
  const now = useNow();
  return (
    <time dateTime={at} title={bothZones(ms(at), zone, now)} className="whitespace-nowrap tabular-nums">
      {prefix}
      {age(now - ms(at))}
      {suffix}
    </time>
  );
}

/** How long something has lasted, counting on while it has no end. */
export function Lasted({ from, to }: { from: string; to: string | null }) {
  const now = useNow();
  const lasted = (to ? ms(to) : now) - ms(from);
  return (
    <span className="whitespace-nowrap tabular-nums">
      {to && lasted < 1000 ? 'under a second' : duration(lasted)}
    </span>
  );
}

function bothZones(at: number, zone: Zone, now: number): string {
  const other = zone === 'utc' ? 'local' : 'utc';
  return `${instant(at, zone, now)}\n${instant(at, other, now)}`;
}
