/** What the list holds at this filter: its rows, why there are none, and what can be done to those selected. */
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { q } from '../../api/endpoints';
import type { Incident, State } from '../../api/types';
import { useToldHere } from '../../components/announce';
import { ErrorState } from '../../components/ErrorState';
import { NotOfNow } from '../../components/Kept';
import { useKeys } from '../../components/keys';
import { enterList, moveInList, type Place } from '../../components/listPlace';
import { useMe } from '../../components/me';
import { Skeleton } from '../../ui/Notice';
import { useBulk } from './bulk';
import { type ChangeOf, giving, merging, moving, type Person } from './deeds';
import { DEFAULT_FILTER } from './filter';
import { IncidentList } from './IncidentList';
import { isNarrowed, NothingMatches, NothingOpen } from './NothingOpen';
import { useHeldRows } from './order';
import { queryOf } from './query';
import { SelectionBar } from './SelectionBar';
import { useSelection } from './selection';
import { WaitingBar } from './WaitingBar';

type Props = {
  text: string;
  onReset: () => void;
  /** A phone shows its check boxes only while rows are being chosen. */
  choosing: boolean;
  onChosen: () => void;
};

export function Rows({ text, onReset, choosing, onChosen }: Props) {
  const query = useInfiniteQuery(q.incidents(queryOf(text)));
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const fresh = useMemo(() => {
    const seen = new Map((data?.pages ?? []).flatMap((page) => page.items).map((one) => [one.id, one]));
    return [...seen.values()];
  }, [data]);
  const place = usePlace(text);
  useEffect(() => moveInList({ order: fresh.map((one) => one.number) }), [fresh]);
  const [hold, setHold] = useState(false);
  const { rows, waiting, anchor, release } = useHeldRows(fresh, hold, text);
  useToldHere(waiting.length > 0 || (hold && !isNarrowed(text)));
  const selection = useSelection(text);
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const clear = () => {
    selection.only([]);
    onChosen();
  };
  const { act, ...bulk } = useBulk(
    (id) => `INC-${fresh.find((one) => one.id === id)?.number ?? id}`,
    (rest) => (rest.length > 0 ? selection.only(rest) : clear()),
  );
  const deeds = useDeeds(fresh);
  const chosen = [...selection.ids];
  const chosenRows = rows.map((row) => row.incident).filter((one) => selection.ids.has(one.id));
  const selectAll = () => selection.only(rows.map((row) => row.incident.id));
  useKeys('Incident list', [
    { keys: 'X', label: 'Select all that are loaded', run: selectAll },
    ...(selection.ids.size > 0 ? [{ keys: 'Escape', label: 'Clear the selection', run: clear }] : []),
  ]);
  return (
    <main id="main" tabIndex={-1} className="flex min-h-0 flex-1 flex-col">
      {data && (
        <NotOfNow
          error={query.error}
          readAt={query.dataUpdatedAt}
          again={() => void query.refetch()}
          className="shrink-0 border-hairline border-b px-5 py-1.5 text-[13px] text-muted max-md:px-3"
        />
      )}
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
          selection={selection}
          choosing={choosing}
          onAcknowledge={(ids) => act(ids, deeds.move('acknowledged'))}
          onTake={(ids) => act(ids, deeds.give(deeds.me))}
          onNearEnd={more}
          onHold={(next) => {
            if (next && !hold) anchor();
            setHold(next);
          }}
        />
      )}
      {waiting.length > 0 && <WaitingBar waiting={waiting} onShow={release} />}
      {(selection.ids.size > 0 || choosing || bulk.progress || bulk.failure) && (
        <SelectionBar
          count={selection.ids.size}
          chosen={chosenRows}
          loaded={rows.length}
          whole={!hasNextPage}
          progress={bulk.progress}
          failure={bulk.failure}
          onStop={bulk.stop}
          onDismiss={bulk.dismiss}
          onAll={selectAll}
          onAcknowledge={() => act(chosen, deeds.move('acknowledged'))}
          onResolve={(changeOf) => act(chosen, deeds.move('resolved', changeOf))}
          onAssign={(person) => act(chosen, deeds.give(person))}
          onMerge={(into) =>
            act(
              chosenRows.flatMap((one) => (one.id === into.id ? [] : [one.id])),
              deeds.merge(into),
            )
          }
          onClear={clear}
        />
      )}
    </main>
  );
}

/** What can be done to these incidents. */
function useDeeds(incidents: readonly Incident[]) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { user } = useMe();
  const owners = new Map(incidents.map((one) => [one.id, one.assigned_to]));
  return {
    me: { id: user.id, name: user.full_name },
    move: (state: State, changeOf?: ChangeOf) => moving(client, state, changeOf),
    give: (person: Person) => giving(person, owners, user.id),
    merge: (into: Incident) =>
      merging(into, () => void navigate({ to: '/incidents/$ref', params: { ref: `INC-${into.number}` } })),
  };
}

/** Where the reader was when they last left this list. */
function usePlace(text: string): Place {
  const { project } = useMe();
  return useMemo(
    () => enterList(`${project.id} ${text}`, text === DEFAULT_FILTER ? {} : { q: text }),
    [project.id, text],
  );
}
