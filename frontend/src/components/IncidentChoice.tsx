/** One of several incidents to choose from, of which one is chosen. */
import type { Incident } from '../api/types';
import { cx } from '../ui/cx';
import { SeverityText } from './Severity';
import { StateBadge } from './State';
import { TimeAgo } from './Time';

type Props = { incident: Incident; on: boolean; onChoose: () => void };

export function IncidentChoice({ incident, on, onChoose }: Props) {
  return (
    <label
      className={cx(
        'flex cursor-pointer items-center gap-3 rounded-md px-2 py-2 text-sm hover:bg-hover',
        on && 'bg-tint',
      )}
    >
      <input type="radio" name="incident" checked={on} onChange={onChoose} className="accent-(--primary)" />
      <span className="min-w-0 flex-1">
        <span className="flex gap-2">
          <span className="shrink-0 text-muted tabular-nums">INC-{incident.number}</span>{' '}
          <span className="min-w-0 truncate" title={incident.title}>
            <bdi>{incident.title}</bdi>
          </span>
        </span>{' '}
        <span className="mt-0.5 flex flex-wrap gap-x-4">
          <StateBadge state={incident.state} /> <SeverityText severity={incident.severity} />{' '}
          <span className="text-muted">
            <TimeAgo at={incident.started_at} suffix=" ago" />
          </span>
        </span>
      </span>
    </label>
  );
}
