/** The alerts of the incident: what they have in common said once, and of each what is its own. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { BookOpen, ExternalLink } from 'lucide-react';
import type { ReactNode } from 'react';
import { q } from '../../api/endpoints';
import type { Incident, IncidentAlert } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { SeverityText } from '../../components/Severity';
import { safeUrl } from '../../components/safeUrl';
import { Instant, Lasted } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Clamp } from '../../ui/Clamp';
import { EmptyState, Skeleton } from '../../ui/Notice';
import { counted, exact } from '../../util/numbers';
import { words } from '../../util/sentence';
import { AsOf } from './AsOf';
import { type Alike, alikeIn, ownLabels } from './alike';
import { LabelList } from './LabelList';
import { MergedInto } from './MergedInto';

export function Alerts({ incident }: { incident: Incident }) {
  const query = useInfiniteQuery(q.alerts(incident.id));
  if (query.isPending) return <Skeleton rows={4} />;
  if (query.isError && !query.data)
    return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const alerts = query.data.pages.flatMap((page) => page.items);
  if (incident.merged_into)
    return (
      <EmptyState title="No alerts here any more">
        They moved to <MergedInto id={incident.merged_into} />, into which this incident was merged.
      </EmptyState>
    );
  if (alerts.length === 0)
    return <EmptyState title="No alerts">This incident was opened by hand.</EmptyState>;
  const alike = alikeIn(alerts);
  return (
    <>
      <h2 className="sr-only">Alerts</h2>
      <AsOf query={query} />
      {alerts.length > 1 && (
        <InCommon alike={alike} count={alerts.length} whole={!query.hasNextPage} incident={incident} />
      )}
      <ul className="mt-3 divide-y divide-hairline rounded-lg border border-hairline bg-raised">
        {alerts.map((alert) => (
          <AlertRow key={alert.id} alert={alert} alike={alike} />
        ))}
      </ul>
      {query.hasNextPage && (
        <div className="mt-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted text-sm">
          {exact(alerts.length)} of {exact(incident.alert_count)} are shown, in the order they were first
          received.
          <Button pending={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

/** `whole` when there are no alerts beyond these. */
type AlikeProps = { alike: Alike; count: number; whole: boolean; incident: Incident };

function InCommon({ alike, count, whole, incident }: AlikeProps) {
  const title = alike.title === incident.title ? undefined : alike.title;
  return (
    <Card
      title={`The same for ${whole ? (count === 2 ? 'both' : `all ${count}`) : `the ${count} shown`}`}
      aside={<Links runbook={alike.runbook_url} source={alike.generator_url} />}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 pb-2 text-sm">
        {alike.severity && <SeverityText severity={alike.severity} />}
        {title && (
          <span className="min-w-0 font-medium">
            <Clamp lines={3}>{title}</Clamp>
          </span>
        )}
        {alike.integration_name && (
          <span className="text-[13px] text-muted">
            from <bdi>{alike.integration_name}</bdi>
          </span>
        )}
      </div>
      <Description text={alike.description} title={alike.title} />
      <LabelList labels={alike.labels} />
    </Card>
  );
}

function AlertRow({ alert, alike }: { alert: IncidentAlert; alike: Alike }) {
  const has = (name: keyof Alike) => alike[name] !== undefined;
  return (
    <li className="px-4 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <span className={alert.status === 'firing' ? 'font-medium text-[13px]' : 'text-[13px] text-resolved'}>
          {alert.status === 'firing' ? 'Firing' : 'Resolved'}
        </span>
        {!has('severity') && <SeverityText severity={alert.severity} />}
        {!has('title') && (
          <h3 className="min-w-0 font-medium">
            <Clamp lines={3}>{alert.title || alert.name}</Clamp>
          </h3>
        )}
        <LabelList labels={ownLabels(alert, alike)} />
        {alert.flapping && <span className="text-[13px] text-medium">Flapping</span>}
        <span className="ml-auto flex gap-4 text-[13px]">
          <Links
            runbook={has('runbook_url') ? null : alert.runbook_url}
            source={has('generator_url') ? null : alert.generator_url}
          />
        </span>
      </div>
      {!has('description') && <Description text={alert.description} title={alert.title} />}
      <p className="mt-1 flex flex-wrap gap-x-4 text-[13px] text-muted">
        <span>
          since <Instant at={alert.starts_at} /> (<Lasted from={alert.starts_at} to={alert.ends_at} />)
        </span>
        <span>
          last heard <Instant at={alert.last_seen_at} />
        </span>
        {alert.repeat_count > 1 && <span>heard {counted(alert.repeat_count, 'time')}</span>}
        {!has('integration_name') && (
          <span>
            from <bdi>{alert.integration_name}</bdi>
          </span>
        )}
        {alert.flags.map((flag) => (
          <span key={flag} className="text-medium">
            {words(flag)}
          </span>
        ))}
      </p>
    </li>
  );
}

function Description({ text, title }: { text: string | undefined; title: string | undefined }) {
  if (!text || text === title) return null;
  return <p className="mb-1 whitespace-pre-line text-muted text-sm [overflow-wrap:anywhere]">{text}</p>;
}

type Urls = { runbook: string | null | undefined; source: string | null | undefined };

function Links({ runbook, source }: Urls) {
  return (
    <>
      <Outside url={runbook} icon={<BookOpen className="size-3.5" aria-hidden="true" />} text="Runbook" />
      <Outside url={source} icon={<ExternalLink className="size-3.5" aria-hidden="true" />} text="Query" />
    </>
  );
}

function Outside({ url, icon, text }: { url: string | null | undefined; icon: ReactNode; text: string }) {
  const href = safeUrl(url);
  if (!href) return null;
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
