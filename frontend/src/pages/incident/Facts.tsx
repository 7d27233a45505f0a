/** The first five seconds: how bad, what, since when, who has it, and one big button. */
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { sentenceOf } from '../../api/errors';
import type { Incident } from '../../api/types';
import { useBlocked, useMe } from '../../components/me';
import { SeverityBadge, severityInk } from '../../components/Severity';
import { StateBadge } from '../../components/State';
import { Instant, Lasted } from '../../components/Time';
import { cx } from '../../ui/cx';
import { Remark } from '../../ui/Notice';
import { toast } from '../../ui/Toast';
import { counted, exact } from '../../util/numbers';
import { DeskActions } from './Actions';
import { Edit } from './Edit';

export function Facts({ incident }: { incident: Incident }) {
  const [editing, setEditing] = useState(false);
  const over = !incident.open;
  return (
    <section aria-label="Facts">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <SeverityBadge severity={incident.severity} quiet={over} />
        <StateBadge state={incident.state} />
        {incident.state === 'detected' && (
          <span className={cx('font-medium text-[13px]', severityInk(incident.severity))}>
            Not acknowledged
          </span>
        )}
        {incident.flapping && <span className="text-[13px] text-medium">Flapping</span>}
        {incident.stale && <span className="text-[13px] text-medium">Its source has gone silent</span>}
      </div>
      <h1 className="mt-2 font-semibold text-xl leading-7 tracking-tight [overflow-wrap:anywhere] max-md:text-lg">
        {incident.title}
      </h1>
      <dl className="mt-2 flex flex-wrap gap-x-6 gap-y-1 text-sm max-md:gap-x-4">
        {incident.service_name && <Fact name="Service">{incident.service_name}</Fact>}
        <Fact name="Started">
          <Instant at={incident.detected_at} />{' '}
          <span className="text-muted">
            ({over ? 'lasted ' : ''}
            <Lasted from={incident.detected_at} to={incident.resolved_at} />)
          </span>
        </Fact>
        <Fact name="Alerts">
          <span title={exact(incident.alert_count)}>
            {incident.alert_count === 0
              ? 'none'
              : `${counted(incident.open_alert_count, 'firing', 'firing')} of ${exact(incident.alert_count)}`}
          </span>
        </Fact>
        <Fact name="Owner">
          <Owner incident={incident} />
        </Fact>
        <Fact name="Source" wide>
          {incident.source === 'manual' ? 'opened by hand' : incident.source}
        </Fact>
      </dl>
      {incident.severity_note && <p className="mt-2 text-[13px] text-muted">{incident.severity_note}</p>}
      {incident.merged_into && (
        <div className="mt-3">
          <Remark>
            This was merged into{' '}
            <Link to="/incidents/$ref" params={{ ref: incident.merged_into }} className="text-link-inline">
              another incident
            </Link>
            , which has its alerts and comments.
          </Remark>
        </div>
      )}
      <DeskActions incident={incident} onEdit={() => setEditing(true)} />
      {editing && <Edit incident={incident} onClose={() => setEditing(false)} />}
    </section>
  );
}

/** A named fact; a `wide` one is left out on a phone, where the first screen is short. */
function Fact({ name, children, wide = false }: { name: string; children: ReactNode; wide?: boolean }) {
  return (
    <div className={cx('flex items-baseline gap-1.5', wide && 'max-md:hidden')}>
      <dt className="text-[13px] text-muted">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}

function Owner({ incident }: { incident: Incident }) {
  const { user } = useMe();
  const assign = useAction(actions.changeIncident, ['incident', 'incidents', 'steps']);
  const blocked = useBlocked('engineer');
  if (incident.assigned_to === user.id) return 'you';
  const name = incident.assigned_to ? (incident.assigned_to_name ?? 'someone') : 'nobody';
  return (
    <>
      {name}
      {!blocked && incident.open && (
        <button
          type="button"
          disabled={assign.isPending}
          className="ml-2 rounded font-normal text-link hover:underline"
          onClick={() =>
            assign.mutate(
              { id: incident.id, change: { assigned_to: user.id } },
              { onError: (error) => toast({ title: sentenceOf(error), tone: 'bad' }) },
            )
          }
        >
          {assign.isPending ? 'Taking it' : 'Take it'}
        </button>
      )}
    </>
  );
}
