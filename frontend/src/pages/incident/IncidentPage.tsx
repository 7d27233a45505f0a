/** One incident: the facts first, then what changed, the likely cause, its evidence and its history. */
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ChevronLeft, Link as LinkIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { q } from '../../api/endpoints';
import { ApiError } from '../../api/errors';
import type { Incident } from '../../api/types';
import { ErrorState } from '../../components/ErrorState';
import { useKeys } from '../../components/keys';
import { besideInList, listSearch } from '../../components/listPlace';
import { PageBody, PageHeader } from '../../components/PageHeader';
import { NotFound } from '../../components/RouteStates';
import { useTitle } from '../../components/title';
import { IconButton } from '../../ui/Button';
import { cx } from '../../ui/cx';
import { Skeleton } from '../../ui/Notice';
import { toast } from '../../ui/Toast';
import { count } from '../../util/numbers';
import { PhoneActions } from './Actions';
import { Alerts } from './Alerts';
import { AskCard } from './Ask';
import { AsOf } from './AsOf';
import { CauseCard } from './CauseCard';
import { Changed } from './Changed';
import { Details } from './Details';
import { Facts } from './Facts';
import { SimilarCard } from './Similar';
import { SymptomCard } from './SymptomCard';
import { Timeline } from './Timeline';

export default function IncidentPage() {
  const { ref } = useParams({ from: '/app/incidents/$ref' });
  const query = useQuery(q.incident(ref));
  const navigate = useNavigate();
  useTitle(query.data ? `INC-${query.data.number} ${query.data.title}` : ref);
  const beside = (step: -1 | 1) => () => {
    const number = query.data && besideInList(query.data.number, step);
    if (number) void navigate({ to: '/incidents/$ref', params: { ref: `INC-${number}` } });
  };
  useKeys('Incident', [
    { keys: '[', label: 'Previous in the list', run: beside(-1) },
    { keys: ']', label: 'Next in the list', run: beside(1) },
    { keys: 'u', label: 'Back to the list', run: () => navigate({ to: '/incidents', search: listSearch() }) },
    { keys: 'c', label: 'Copy link', run: copyLink },
  ]);
  return (
    <>
      <PageHeader
        title={
          <>
            <Link
              to="/incidents"
              search={listSearch()}
              className="flex h-8 items-center gap-1 rounded-md pr-2 text-[13px] text-muted hover:text-text print:hidden max-md:h-10"
            >
              <ChevronLeft className="size-4" aria-hidden="true" />
              <span className="max-md:sr-only">Incidents</span>
            </Link>
            <span className="font-semibold text-[15px] tabular-nums">
              {query.data ? `INC-${query.data.number}` : ref}
            </span>
            <IconButton label="Copy link (c)" onClick={copyLink}>
              <LinkIcon className="size-3.5" aria-hidden="true" />
            </IconButton>
          </>
        }
      />
      {query.data ? (
        <Body key={query.data.id} incident={query.data} note={<AsOf query={query} whole />} />
      ) : query.isError ? (
        query.error instanceof ApiError && query.error.status === 404 ? (
          <NotFound />
        ) : (
          <PageBody>
            <h1 className="sr-only">Incident {ref}</h1>
            <ErrorState error={query.error} onRetry={() => void query.refetch()} />
          </PageBody>
        )
      ) : (
        <PageBody>
          <Skeleton rows={6} className="max-w-2xl" />
        </PageBody>
      )}
    </>
  );
}

function Body({ incident, note }: { incident: Incident; note: ReactNode }) {
  const { tab } = useSearch({ from: '/app/incidents/$ref' });
  return (
    <>
      <PageBody className="max-md:pb-6">
        <div className="mx-auto max-w-[1320px]">
          {note}
          <Facts incident={incident} />
          <Tabs incident={incident} alerts={tab === 'alerts'} />
          {tab === 'alerts' ? (
            <Alerts incident={incident} />
          ) : (
            <div className="grid grid-cols-1 items-start gap-4 xl:grid-cols-[minmax(0,1fr)_380px]">
              <div className="grid min-w-0 grid-cols-1 gap-4">
                <Changed incident={incident} />
                <CauseCard incident={incident} />
                <SymptomCard incident={incident} />
                <AskCard incident={incident} />
              </div>
              <div className="grid min-w-0 grid-cols-1 gap-4">
                <Timeline incident={incident} />
                <SimilarCard incident={incident} />
                <Details incident={incident} />
              </div>
            </div>
          )}
        </div>
      </PageBody>
      <PhoneActions incident={incident} />
    </>
  );
}

function Tabs({ incident, alerts }: { incident: Incident; alerts: boolean }) {
  const look = (on: boolean) =>
    cx(
      'flex h-10 items-center gap-1.5 border-b-2 px-1 text-sm',
      on ? 'border-focus font-medium' : 'border-transparent text-muted hover:text-text',
    );
  const params = { ref: `INC-${incident.number}` };
  return (
    <nav aria-label="Parts of the incident" className="mt-4 mb-4 flex gap-5 border-hairline border-b">
      <Link
        to="/incidents/$ref"
        params={params}
        search={(old) => ({ ...old, tab: undefined })}
        activeOptions={{ exact: true, includeSearch: true }}
        replace
        className={look(!alerts)}
      >
        Overview
      </Link>
      <Link
        to="/incidents/$ref"
        params={params}
        search={(old) => ({ ...old, tab: 'alerts' as const })}
        replace
        className={look(alerts)}
      >
        Alerts{' '}
        <span className="text-muted tabular-nums">
          {incident.merged_into ? 'moved' : count(incident.alert_count)}
        </span>
      </Link>
    </nav>
  );
}

function copyLink(): void {
  void navigator.clipboard?.writeText(location.href).then(() => toast({ title: 'Link copied' }));
}
