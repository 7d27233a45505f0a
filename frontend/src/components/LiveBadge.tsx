/** Says whether the screen is up to date, and since when it is not. */
import type { ReactNode } from 'react';
import { STALE_MS } from '../api/live';
import { cx } from '../ui/cx';
import { clock, instant, type Zone } from '../util/time';
import { useNow } from './clock';
import { useLiveStatus } from './LiveProvider';
import { usePrefs } from './prefs';

/** `home` is where the dashboard is meant to be reached: the server pushes to no page from elsewhere. */
export function LiveBadge({ home }: { home: string }) {
  const status = useLiveStatus();
  const { zone } = usePrefs();
  const now = useNow();
  if (status.kind === 'off') return null;
  let text: ReactNode = 'Live';
  let tone = 'text-muted';
  let dot = 'bg-resolved';
  if (status.kind === 'connecting') {
    text = 'Connecting';
    dot = 'bg-control';
  } else if (status.kind === 'reconnecting') {
    const left = Math.max(0, Math.ceil((status.retryAt - Date.now()) / 1000));
    const stale = Date.now() - status.lostAt > STALE_MS;
    const soon = left > 0 ? `Reconnecting ${left} s` : 'Reconnecting…';
    text = !stale ? (
      soon
    ) : new URL(home).origin === location.origin ? (
      <StaleSince at={status.lostAt} zone={zone} now={now} />
    ) : (
      <Elsewhere home={home} />
    );
    tone = stale ? 'text-high font-medium' : 'text-muted';
    dot = stale ? 'bg-high' : 'bg-medium';
  }
  return (
    <span
      role="status"
      className={cx('inline-flex items-center gap-1.5 whitespace-nowrap text-[13px] tabular-nums', tone)}
    >
      <span
        aria-hidden="true"
        className={cx(
          'size-2 rounded-full',
          dot,
          status.kind === 'live' && 'animate-pulse [animation-duration:3s]',
        )}
      />
      {text}
    </span>
  );
}

/** A phone has room for the hour and the minute; its header names the zone beside it. */
function StaleSince({ at, zone, now }: { at: number; zone: Zone; now: number }) {
  return (
    <span>
      Stale <span className="max-md:hidden">since {instant(at, zone, now)}</span>
      <span className="md:hidden">{clock(at, zone).slice(0, 5)}</span>
    </span>
  );
}

/** The same page where it is live. */
function Elsewhere({ home }: { home: string }) {
  const { pathname, search, hash } = location;
  return (
    <span>
      <span className="max-md:hidden">Not live here, but at </span>
      <span className="md:hidden">Live: </span>
      <a className="underline" href={home.replace(/\/$/, '') + pathname + search + hash}>
        {home.replace(/^https?:\/\//, '')}
      </a>
    </span>
  );
}
