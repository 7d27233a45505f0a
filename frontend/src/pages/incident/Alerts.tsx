/** The alerts of the incident, each with its own labels and links. */
import { useQuery } from '@tanstack/react-query';
import { BookOpen, ExternalLink } from 'lucide-react';
import { q } from '../../api/endpoints';
import type { Incident, IncidentAlert } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { SeverityText } from '../../components/Severity';
import { safeUrl } from '../../components/safeUrl';
import { Instant, Lasted } from '../../components/Time';
import { EmptyState, Skeleton } from '../../ui/Notice';
import { counted } from '../../util/numbers';
import { LabelList } from './LabelList';

export function Alerts({ incident }: { incident: Incident }) {
  const query = useQuery(q.alerts(incident.id));
  if (query.isPending) return <Skeleton rows={4} />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (query.data.items.length === 0)
    return <EmptyState title="No alerts">This incident was opened by hand.</EmptyState>;
  return (
    <>
      <h2 className="sr-only">Alerts</h2>
      <ul className="grid grid-cols-1 gap-3">
        {query.data.items.map((alert) => (
          <AlertCard key={alert.id} alert={alert} />
        ))}
      </ul>
      {query.data.next_cursor && (
        <p className="mt-3 text-muted text-sm">The newest {query.data.items.length} are shown.</p>
      )}
    </>
  );
}

function AlertCard({ alert }: { alert: IncidentAlert }) {
  const runbook = safeUrl(alert.runbook_url);
  const source = safeUrl(alert.generator_url);
  return (
    <li className="rounded-lg border border-hairline bg-raised p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <SeverityText severity={alert.severity} />
        <h3 className="min-w-0 font-medium [overflow-wrap:anywhere]">{alert.title || alert.name}</h3>
        <span className={alert.status === 'firing' ? 'text-[13px] font-medium' : 'text-[13px] text-resolved'}>
          {alert.status === 'firing' ? 'Firing' : 'Resolved'}
        </span>
        {alert.flapping && <span className="text-[13px] text-medium">Flapping</span>}
        <span className="ml-auto flex gap-4 text-[13px]">
          {runbook && (
            <Outside
              href={runbook}
              icon={<BookOpen className="size-3.5" aria-hidden="true" />}
              text="Runbook"
            />
          )}
          {source && (
            <Outside
              href={source}
              icon={<ExternalLink className="size-3.5" aria-hidden="true" />}
              text="Source"
            />
          )}
        </span>
      </div>
      {alert.description && alert.description !== alert.title && (
        <p className="mt-1 whitespace-pre-line text-muted text-sm [overflow-wrap:anywhere]">
          {alert.description}
        </p>
      )}
      <p className="mt-2 flex flex-wrap gap-x-4 text-[13px] text-muted">
        <span>
          since <Instant at={alert.starts_at} /> (<Lasted from={alert.starts_at} to={alert.ends_at} />)
        </span>
        <span>
          last heard <Instant at={alert.last_seen_at} />
        </span>
        {alert.repeat_count > 0 && <span>{counted(alert.repeat_count, 'repeat')}</span>}
        <span>from {alert.integration_name}</span>
        {alert.flags.map((flag) => (
          <span key={flag} className="text-medium">
            {flag.replaceAll('_', ' ')}
          </span>
        ))}
      </p>
      <div className="mt-2.5">
        <LabelList labels={alert.labels} />
      </div>
    </li>
  );
}

function Outside({ href, icon, text }: { href: string; icon: React.ReactNode; text: string }) {
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer noopener"
      className="inline-flex items-center gap-1 text-link hover:underline"
    >
      {icon} {text}
    </a>
  );
}
