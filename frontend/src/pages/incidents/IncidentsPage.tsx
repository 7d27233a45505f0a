/** The incident list: filter, summary, rows, and what can be done to several at once. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { q } from '../../api/endpoints';
import { ErrorState } from '../../components/ErrorState';
import { useKeys } from '../../components/keys';
import { enterList, moveInList, type Place } from '../../components/listPlace';
import { useBlocked, useMe } from '../../components/me';
import { PageHeader } from '../../components/PageHeader';
import { Button } from '../../ui/Button';
import { Skeleton } from '../../ui/Notice';
import { useBulkMove } from './bulk';
import { FilterBox } from './FilterBox';
import { DEFAULT_FILTER } from './filter';
import { IncidentList } from './IncidentList';
import { NewIncident } from './NewIncident';
import { isNarrowed, NothingMatches, NothingOpen } from './NothingOpen';
import { useHeldRows } from './order';
import { queryOf } from './query';
import { SelectionBar } from './SelectionBar';
import { StillFiring } from './StillFiring';
import { SummaryStrip } from './SummaryStrip';
import { WaitingBar } from './WaitingBar';

export default function IncidentsPage() {
  const search = useSearch({ from: '/app/incidents' });
  const text = search.q ?? DEFAULT_FILTER;
  const navigate = useNavigate();
  const setText = useCallback(
    (next: string) =>
      void navigate({
        to: '/incidents',
        search: next === DEFAULT_FILTER ? {} : { q: next },
        replace: true,
      }),
    [navigate],
  );
  const [creating, setCreating] = useState(false);
  const blocked = useBlocked('engineer');
  useKeys('Incident list', [{ keys: 'n', label: 'New incident', run: () => !blocked && setCreating(true) }]);
  return (
    <>
      <PageHeader
        title={
          <>
            <h1 className="sr-only">Incidents</h1>
            <FilterBox text={text} onChange={setText} />
          </>
        }
      >
        <Button look="primary" blocked={blocked} onClick={() => setCreating(true)} className="max-md:px-2.5">
          <Plus className="size-4" aria-hidden="true" />
          <span className="max-md:sr-only">New incident</span>
        </Button>
      </PageHeader>
      <SummaryStrip text={text} onChange={setText} />
      <StillFiring />
      <Rows text={text} onReset={() => setText(DEFAULT_FILTER)} />
      {creating && <NewIncident onClose={() => setCreating(false)} />}
    </>
  );
}

function Rows({ text, onReset }: { text: string; onReset: () => void }) {
  const query = useInfiniteQuery(q.incidents(queryOf(text)));
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const fresh = useMemo(() => {
    const seen = new Map((data?.pages ?? []).flatMap((page) => page.items).map((one) => [one.id, one]));
    return [...seen.values()];
  }, [data]);
  const place = usePlace(text);
  const [hold, setHold] = useState(false);
  const { rows, waiting, anchor, release } = useHeldRows(fresh, hold, text);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((id: string) => setSelected((before) => toggled(before, id)), []);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const bulk = useBulkMove(() => setSelected(new Set()));
  return (
    <main id="main" tabIndex={-1} className="relative flex min-h-0 flex-1 flex-col">
      {waiting.length > 0 && <WaitingBar waiting={waiting} onShow={release} />}
      {query.isPending ? (
        <Skeleton rows={8} className="p-5" />
      ) : query.isError && !data ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : rows.length === 0 ? (
        isNarrowed(text) ? (
          <NothingMatches onReset={onReset} />
        ) : (
          <NothingOpen />
        )
      ) : (
        <IncidentList
          key={text}
          rows={rows}
          place={place}
          onPlace={moveInList}
          total={hasNextPage ? -1 : rows.length}
          selected={selected}
          onSelect={toggle}
          onAcknowledge={(ids) => bulk.move(ids, 'acknowledged')}
          onNearEnd={more}
          onHold={(next) => {
            if (next && !hold) anchor();
            setHold(next);
          }}
        />
      )}
      {selected.size > 0 && (
        <SelectionBar
          count={selected.size}
          pending={bulk.pending}
          onMove={(state) => bulk.move([...selected], state)}
          onClear={() => setSelected(new Set())}
        />
      )}
    </main>
  );
}

/** Where the reader was when they last left this list. */
function usePlace(text: string): Place {
  const { project } = useMe();
  return useMemo(
    () => enterList(`${project.id} ${text}`, text === DEFAULT_FILTER ? {} : { q: text }),
    [project.id, text],
  );
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(before);
  if (!next.delete(id)) next.add(id);
  return next;
}
