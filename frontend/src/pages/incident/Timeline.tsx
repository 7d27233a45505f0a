/** The workflow of the incident, step by step, and the place to add a note. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { actions, useAction } from '../../api/actions';
import { q } from '../../api/endpoints';
import { sentenceOf } from '../../api/errors';
import type { Incident, Step } from '../../api/types';
import { useDraft } from '../../components/drafts';
import { ErrorState } from '../../components/ErrorState';
import { useKeys } from '../../components/keys';
import { LinkedText } from '../../components/LinkedText';
import { useBlocked } from '../../components/me';
import { Instant, Until } from '../../components/Time';
import { Button } from '../../ui/Button';
import { Card } from '../../ui/Card';
import { Clamp } from '../../ui/Clamp';
import { cx } from '../../ui/cx';
import { FormError, TextArea } from '../../ui/Field';
import { Skeleton } from '../../ui/Notice';
import { Segmented } from '../../ui/Segmented';
import { exact } from '../../util/numbers';
import { stepDuration } from '../../util/time';
import { AsOf } from './AsOf';
import { folded, isByPerson, type StepText } from './steps';

/** Of 200 steps each. */
const PAGES_UNASKED = 5;

export function Timeline({ incident }: { incident: Incident }) {
  const { query, steps, more } = useSteps(incident.id);
  const [whose, setWhose] = useState<'all' | 'people'>('all');
  const shown = folded(whose === 'people' ? steps.filter(isByPerson) : steps);
  return (
    <Card
      title="Timeline"
      aside={
        <Segmented
          label="Whose steps"
          value={whose}
          options={[
            { value: 'all', label: 'All' },
            { value: 'people', label: 'People' },
          ]}
          onChange={setWhose}
        />
      }
    >
      {query.isPending ? (
        <Skeleton rows={5} />
      ) : query.isError && !query.data ? (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <>
          <AsOf query={query} />
          <ol className="relative">
            {shown.map(({ step, text }) => (
              <StepRow key={step.id} step={step} text={text} />
            ))}
            {shown.length === 0 && <li className="text-muted text-sm">Nothing yet.</li>}
          </ol>
          {more && (
            <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted text-sm">
              The first {exact(steps.length)} steps are shown.
              <Button pending={query.isFetchingNextPage} onClick={more}>
                Show more
              </Button>
            </div>
          )}
        </>
      )}
      <AddNote incident={incident} />
    </Card>
  );
}

/** The steps, read on by themselves so that the newest are there; at very many, the reader is asked. */
function useSteps(id: string) {
  const query = useInfiniteQuery(q.steps(id));
  const [most, setMost] = useState(PAGES_UNASKED);
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = query;
  const pages = data?.pages ?? [];
  const next = hasNextPage && !isFetching && !isError && pages.length < most ? pages.length : null;
  useEffect(() => {
    if (next !== null) void fetchNextPage();
  }, [next, fetchNextPage]);
  const more = hasNextPage && pages.length >= most ? () => setMost(most + PAGES_UNASKED) : null;
  return { query, steps: pages.flatMap((page) => page.items), more };
}

const DOT: Record<Step['status'], string> = {
  pending: 'border-control bg-raised',
  in_progress: 'animate-pulse border-focus bg-focus',
  completed: 'border-control bg-control',
  failed: 'border-critical bg-critical',
  skipped: 'border-control bg-raised',
};

const STATUS_WORD: Partial<Record<Step['status'], string>> = {
  pending: 'waiting',
  in_progress: 'running',
  failed: 'failed',
  skipped: 'skipped',
};

function StepRow({ step, text }: { step: Step; text: StepText }) {
  const took = step.duration_ms !== null && step.duration_ms >= 10 ? stepDuration(step.duration_ms) : null;
  const status = STATUS_WORD[step.status];
  const byPerson = isByPerson(step);
  return (
    <li className="relative flex gap-3 pb-3 text-sm before:absolute before:top-4 before:bottom-0 before:left-[3.5px] before:w-px before:bg-hairline last:before:hidden">
      <span
        aria-hidden="true"
        className={cx('relative mt-1.5 size-2 shrink-0 rounded-full border', DOT[step.status])}
      />
      <div className="min-w-0 flex-1">
        <div>
          <Clamp lines={3}>
            {byPerson && (
              <b className="font-medium">
                <bdi>{step.actor}</bdi>{' '}
              </b>
            )}
            {text.title}
            {text.until && (
              <>
                {' '}
                until <Until at={text.until} />
              </>
            )}
            {text.last && (
              <span className="text-muted">
                , last <Instant at={text.last} />
              </span>
            )}
            {status && (
              <span className={step.status === 'failed' ? 'text-critical' : 'text-muted'}> {status}</span>
            )}
          </Clamp>
        </div>
        {text.note && (
          <p className="mt-0.5 whitespace-pre-line rounded-md bg-surface px-2.5 py-1.5 [overflow-wrap:anywhere]">
            <LinkedText text={text.note} />
          </p>
        )}
        <p className="text-muted text-xs">
          <Instant at={step.started_at} />
          {step.actor && !byPerson && (
            <span>
              {' '}
              · from <bdi>{step.actor}</bdi>
            </span>
          )}
          {took && <span className="tabular-nums"> · took {took}</span>}
        </p>
      </div>
    </li>
  );
}

function AddNote({ incident }: { incident: Incident }) {
  const [body, setBody] = useDraft(`note.${incident.id}`);
  const add = useAction(
    async (text: string) => {
      await actions.comment({ id: incident.id, body: text });
      setBody('');
    },
    ['steps', 'incident'],
  );
  const blocked = useBlocked('engineer');
  useKeys('Incident', [
    {
      keys: 'n',
      label: 'Add a note',
      run: () => document.querySelector<HTMLTextAreaElement>('[data-note] textarea')?.focus(),
    },
  ]);
  if (blocked) return null;
  const send = () => {
    const text = body.trim();
    if (text && !add.isPending) add.mutate(text);
  };
  return (
    <form
      data-note
      className="mt-1 space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <TextArea
        label="Add a note"
        hideLabel
        placeholder="Add a note"
        rows={body ? 3 : 1}
        value={body}
        onChange={(event) => setBody(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
        }}
      />
      <FormError>{add.error && sentenceOf(add.error)}</FormError>
      {body.trim() && (
        <Button type="submit" look="primary" pending={add.isPending}>
          Add note
        </Button>
      )}
    </form>
  );
}
