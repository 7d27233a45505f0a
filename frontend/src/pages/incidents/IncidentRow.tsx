/** One incident in the list: two lines on a desk, three on a phone. */
import { Link } from '@tanstack/react-router';
import { AlarmClock, Check, LoaderCircle, type LucideIcon, UserRound } from 'lucide-react';
import { memo } from 'react';
import type { Incident, User } from '../../api/types';
import { SeverityBadge, severityRail } from '../../components/Severity';
import { StateBadge } from '../../components/State';
import { TimeAgo, Until } from '../../components/Time';
import { cx } from '../../ui/cx';
import { counted, exact } from '../../util/numbers';
import { theoryLine } from './query';

type Props = {
  incident: Incident;
  gone: boolean;
  selected: boolean;
  active: boolean;
  /** On a phone: the whole row is its check box. */
  choosing: boolean;
  onSelect: (id: string) => void;
  /** The reader, to say “you”. */
  me: User;
};

export const IncidentRow = memo(function IncidentRow(props: Props) {
  const { incident, gone, selected, active, choosing, onSelect } = props;
  const over = !incident.open;
  return (
    <div
      className={cx(
        'group relative h-full border-hairline border-b',
        'grid items-center gap-x-3 pr-5 md:grid-cols-[4px_20px_92px_minmax(0,1fr)_124px_44px_112px]',
        'max-md:pr-3',
        choosing ? 'max-md:grid-cols-[4px_24px_minmax(0,1fr)]' : 'max-md:grid-cols-[4px_minmax(0,1fr)]',
        selected ? 'bg-tint' : 'hover:bg-hover',
        active && 'bg-hover',
        gone && 'opacity-50',
      )}
    >
      <span
        aria-hidden="true"
        className={cx('h-full w-1 self-stretch', over ? 'bg-transparent' : severityRail(incident.severity))}
      />
      <span
        role="gridcell"
        className={cx('z-10 flex md:relative', choosing ? 'max-md:pl-1' : 'max-md:hidden')}
      >
        <label className="flex max-md:after:absolute max-md:after:inset-0">
          <span className="sr-only">Select INC-{incident.number}</span>
          <input
            type="checkbox"
            checked={selected}
            tabIndex={-1}
            onChange={() => onSelect(incident.id)}
            className={cx(
              'size-4 accent-(--primary) transition-opacity max-md:size-5',
              !selected && 'md:opacity-0 md:group-focus-within:opacity-100 md:group-hover:opacity-100',
            )}
          />
        </label>
      </span>
      <span role="gridcell" className="max-md:hidden">
        <SeverityBadge severity={incident.severity} quiet={over} />
      </span>
      <span role="gridcell" className="min-w-0 max-md:py-2">
        <PhoneTop incident={incident} over={over} me={props.me} />
        <span className={cx('block truncate text-sm max-md:text-base', over && 'text-muted')}>
          {incident.service_name && !incident.title.includes(incident.service_name) && (
            <span className="mr-2 inline-block max-w-[35%] truncate align-bottom text-muted max-md:hidden">
              {incident.service_name}
            </span>
          )}
          <Link
            to="/incidents/$ref"
            params={{ ref: `INC-${incident.number}` }}
            className={cx(
              'outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:outline-focus focus-visible:after:-outline-offset-2',
              !over && 'font-medium',
            )}
          >
            {incident.title}
          </Link>
        </span>
        <SecondLine incident={incident} />
      </span>
      <span role="gridcell" className="max-md:hidden">
        <StateBadge state={incident.state} className={over ? 'opacity-80' : ''} />
      </span>
      <span role="gridcell" className="text-right text-[13px] text-muted max-md:hidden">
        <TimeAgo at={incident.started_at} />
      </span>
      <span role="gridcell" className="truncate text-[13px] text-muted max-md:hidden">
        <Who incident={incident} me={props.me} />
      </span>
    </div>
  );
});

function PhoneTop({ incident, over, me }: { incident: Incident; over: boolean; me: User }) {
  return (
    <span className="mb-1 flex items-center gap-2 md:hidden">
      <SeverityBadge severity={incident.severity} quiet={over} />
      <StateBadge state={incident.state} />
      <span className="min-w-0 truncate text-[13px] text-muted">
        <Who incident={incident} me={me} />
      </span>
      <span className="ml-auto shrink-0 text-muted text-sm">
        <TimeAgo at={incident.started_at} />
      </span>
    </span>
  );
}

function SecondLine({ incident }: { incident: Incident }) {
  const theory = theoryLine(incident.analysis);
  const running = incident.analysis?.status === 'queued' || incident.analysis?.status === 'running';
  return (
    <span className="mt-0.5 flex min-w-0 items-center gap-2 overflow-hidden text-[13px] text-muted">
      <span className="shrink-0 tabular-nums">INC-{incident.number}</span>
      {incident.service_name && (
        <span className="max-w-[40%] shrink-0 truncate text-text md:hidden">{incident.service_name}</span>
      )}
      <span className="shrink-0" title={exact(incident.alert_count)}>
        {incident.alert_count === 0 ? 'no alerts' : counted(incident.alert_count, 'alert')}
      </span>
      {!incident.open && incident.open_alert_count > 0 && (
        <span className="shrink-0 text-medium">still firing</span>
      )}
      {incident.snoozed_until && (
        <span className="inline-flex shrink-0 items-center gap-1">
          <AlarmClock className="size-3" aria-hidden="true" />
          <span className="whitespace-nowrap">
            <span className="sr-only">snoozed </span>until <Until at={incident.snoozed_until} />
          </span>
        </span>
      )}
      {incident.flapping && <span className="shrink-0 text-medium">flapping</span>}
      {incident.stale && <span className="shrink-0 text-medium">source silent</span>}
      {theory && (
        <span className="flex min-w-0 items-center gap-1.5">
          {running && <LoaderCircle className="size-3 shrink-0 animate-spin" aria-hidden="true" />}
          <span className="truncate">{theory}</span>
        </span>
      )}
    </span>
  );
}

/** Who has it: the owner, else whoever acknowledged it, else nobody. */
function Who({ incident, me }: { incident: Incident; me: User }) {
  const { assigned_to, acknowledged_by } = incident;
  if (assigned_to)
    return (
      <Named
        icon={UserRound}
        name={assigned_to === me.id ? 'you' : (incident.assigned_to_name ?? 'someone')}
      />
    );
  if (acknowledged_by)
    return (
      <Named
        icon={Check}
        name={acknowledged_by === me.full_name ? 'you' : acknowledged_by}
        title={`Acknowledged by ${acknowledged_by}`}
      />
    );
  return incident.open ? <span>nobody</span> : <span aria-hidden="true">–</span>;
}

function Named({ icon: Icon, name, title }: { icon: LucideIcon; name: string; title?: string }) {
  return (
    <span className="inline-flex max-w-full items-center gap-1.5 align-bottom" title={title}>
      <Icon className="size-3.5 shrink-0" aria-hidden="true" />
      {title && <span className="sr-only">Acknowledged by </span>}
      <span className="truncate text-text">{name}</span>
    </span>
  );
}
