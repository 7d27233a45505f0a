/** What changed around the start, nearest first. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ExternalLink } from 'lucide-react';
import { q } from '../../api/endpoints';
import type { Change, Incident } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { safeUrl } from '../../components/safeUrl';
import { Instant } from '../../components/Time';
import { Card } from '../../ui/Card';
import { Skeleton } from '../../ui/Notice';
import { duration, ms } from '../../util/time';
import { AsOf } from './AsOf';
import { spanBefore } from './around';

export function Changed({ incident }: { incident: Incident }) {
  const query = useQuery(q.changes(spanBefore(incident)));
  const start = ms(incident.started_at);
  const changes = [...(query.data?.items ?? [])].sort(
    (a, b) => Math.abs(ms(a.timestamp) - start) - Math.abs(ms(b.timestamp) - start),
  );
  return (
    <Card
      title="What changed"
      aside={<span className="max-md:hidden">1h before to 15m after the start</span>}
    >
      <AsOf query={query} />
      {query.isPending ? (
        <Skeleton rows={2} />
      ) : query.isError && !query.data ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : changes.length === 0 ? (
        <p className="text-muted text-sm">
          No deploy or configuration change was reported in this time.{' '}
          <Link to="/changes" className="text-link-inline">
            How to report changes
          </Link>
        </p>
      ) : (
        <ul>
          {changes.map((change) => (
            <ChangeRow key={change.id} change={change} start={start} own={incident.service_name} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function ChangeRow({ change, start, own }: { change: Change; start: number; own: string | null }) {
  const before = start - ms(change.timestamp);
  const url = safeUrl(change.url);
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-baseline gap-x-3 border-hairline border-b py-1.5 text-sm first:pt-0 last:border-0 last:pb-0 md:grid-cols-[7rem_minmax(0,1fr)_auto_1rem]">
      <span className="text-[13px] text-muted tabular-nums max-md:order-2">
        {duration(Math.abs(before))} {before >= 0 ? 'before' : 'after'}
      </span>
      <span className="min-w-0 [overflow-wrap:anywhere] max-md:order-1 max-md:col-span-2">
        <span className={change.service_name === own ? 'font-medium' : 'text-muted'}>
          <bdi>{change.service_name}</bdi>
        </span>{' '}
        <bdi>{withoutService(change)}</bdi>
        {change.version && !change.summary.includes(change.version) && ` (${change.version})`}
      </span>
      <span className="text-[13px] text-muted max-md:hidden">
        {change.kind}, <Instant at={change.timestamp} />
      </span>
      {url && (
        <a
          href={url}
          target="_blank"
          rel="noreferrer noopener"
          aria-label={`Open ${change.summary}`}
          className="self-center text-link max-md:order-3"
        >
          <ExternalLink className="size-3.5" aria-hidden="true" />
        </a>
      )}
    </li>
  );
}

/** The summary without the service's name at its start, which stands before it already. */
function withoutService({ summary, service_name }: Change): string {
  const rest = summary.startsWith(service_name) ? summary.slice(service_name.length) : summary;
  return /^[\s:,-]/.test(rest) ? rest.replace(/^[\s:,-]+/, '') : summary;
}
