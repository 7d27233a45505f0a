/** What one must know, by name: the service, since when, who has it, where the runbook is. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { BookOpen } from 'lucide-react';
import type { ReactNode } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Incident, IncidentAlert } from '../../api/types';
import { useBlocked, useMe } from '../../components/me';
import { isUntaken } from '../../components/moves';
import { safeUrl } from '../../components/safeUrl';
import { Instant, Lasted } from '../../components/Time';
import { Clamp } from '../../ui/Clamp';
import { cx } from '../../ui/cx';
import { toast } from '../../ui/Toast';
import { counted, exact } from '../../util/numbers';
import { duration } from '../../util/time';
import { type Episode, episodeOf } from './episode';
import { MergedInto } from './MergedInto';

export function FactList({ incident }: { incident: Incident }) {
  const hasAlerts = incident.alert_count > 0 && !incident.merged_into;
  const query = useInfiniteQuery({ ...q.alerts(incident.id), enabled: hasAlerts });
  const alerts = query.data?.pages.flatMap((page) => page.items);
  return (
    <dl className="mt-2 flex flex-wrap gap-x-6 gap-y-1 text-sm max-md:gap-x-4">
      {incident.service_name && (
        <Fact name="Service">
          <Clamp lines={1}>{incident.service_name}</Clamp>
        </Fact>
      )}
      <Fact name="Started">
        <Started episode={episodeOf(incident, alerts ?? [])} />
      </Fact>
      {incident.acknowledged_at && (
        <Fact name="Acknowledged">
          {incident.acknowledged_by && <bdi>{incident.acknowledged_by}, </bdi>}
          <Instant at={incident.acknowledged_at} />
        </Fact>
      )}
      <Fact name="Alerts">
        <AlertCount incident={incident} />
      </Fact>
      <Fact name="Owner">
        <Owner incident={incident} />
      </Fact>
      <Fact name="Source" wide>
        {incident.source === 'manual' ? 'opened by hand' : <bdi>{incident.source}</bdi>}
      </Fact>
      {hasAlerts && <Runbooks alerts={alerts} />}
    </dl>
  );
}

function AlertCount({ incident }: { incident: Incident }) {
  const { alert_count, open_alert_count, merged_into } = incident;
  if (alert_count === 0) return 'none';
  if (merged_into)
    return (
      <>
        moved to <MergedInto id={merged_into} />
      </>
    );
  return `${counted(open_alert_count, 'firing', 'firing')} of ${exact(alert_count)}`;
}

/** A named fact; a `wide` one is left out on a phone, where the first screen is short. */
function Fact({ name, children, wide = false }: { name: string; children: ReactNode; wide?: boolean }) {
  return (
    <div className={cx('flex min-w-0 items-baseline gap-1.5', wide && 'max-md:not-print:hidden')}>
      <dt className="shrink-0 text-[13px] text-muted">{name}</dt>
      <dd className="min-w-0 font-medium [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

function Started({ episode }: { episode: Episode }) {
  const { from, to, received_after_ms, overBeforeSent } = episode;
  return (
    <>
      <Instant at={from} />{' '}
      <span className="text-muted">
        ({to && 'lasted '}
        <Lasted from={from} to={to} />
        {overBeforeSent && ', over before it was sent'}
        {received_after_ms !== null && `, received ${duration(received_after_ms)} later`})
      </span>
    </>
  );
}

/** Links to what the alerts say should be done, each once. It has its place before they are read: nothing moves then. */
function Runbooks({ alerts }: { alerts: readonly IncidentAlert[] | undefined }) {
  const byUrl = new Map(
    alerts?.flatMap((one) => (safeUrl(one.runbook_url) ? [[one.runbook_url, one.name]] : [])),
  );
  return (
    <Fact name={byUrl.size > 1 ? 'Runbooks' : 'Runbook'}>
      {byUrl.size === 0 && <span className="font-normal text-muted">{alerts ? 'none' : '…'}</span>}
      <span className="flex flex-wrap items-baseline gap-x-3">
        {[...byUrl].slice(0, 3).map(([url, name]) => (
          <a
            key={url}
            href={url ?? ''}
            target="_blank"
            rel="noreferrer noopener"
            className="max-w-56 truncate text-link hover:underline"
          >
            <BookOpen className="mr-1 inline size-3.5 align-[-2px]" aria-hidden="true" />
            <bdi>{name}</bdi>
          </a>
        ))}
      </span>
    </Fact>
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
      <bdi>{name}</bdi>
      {!blocked && incident.open && !isUntaken(incident) && (
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
