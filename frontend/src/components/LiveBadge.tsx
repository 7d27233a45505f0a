/** Says whether the screen is up to date, and since when it is not. */
import { STALE_MS } from '../api/live';
import { cx } from '../ui/cx';
import { instant } from '../util/time';
import { useNow } from './clock';
import { useLiveStatus } from './LiveProvider';
import { usePrefs } from './prefs';

export function LiveBadge() {
  const status = useLiveStatus();
  const { zone } = usePrefs();
  const now = useNow();
  if (status.kind === 'off') return null;
  let text = 'Live';
  let tone = 'text-muted';
  let dot = 'bg-resolved';
  if (status.kind === 'connecting') {
    text = 'Connecting';
    dot = 'bg-control';
  } else if (status.kind === 'reconnecting') {
    const left = Math.max(0, Math.ceil((status.retryAt - Date.now()) / 1000));
    const stale = Date.now() - status.lostAt > STALE_MS;
    text = stale ? `Stale since ${instant(status.lostAt, zone, now)}` : `Reconnecting ${left} s`;
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
