/** Moving several incidents at once, each answered for on its own. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { actions, type IncidentChange } from '../../api/actions';
import { q } from '../../api/endpoints';
import { ApiError, sentenceOf } from '../../api/errors';
import type { State } from '../../api/types';
import { stateWord } from '../../components/State';
import { toast } from '../../ui/Toast';
import { count, counted } from '../../util/numbers';

const AT_ONCE = 4;

/** What became of one of them: moved, in some state already, failed, or left alone because someone stopped. */
type Answer = { id: string } & (
  | { state: State; moved: boolean; by: string | null }
  | { error: unknown }
  | { left: true }
);

/** What is written into an incident before it is moved. */
export type ChangeOf = (id: string) => IncidentChange;

/** How many are answered for by now. */
export type Progress = { done: number; of: number };

/** What went wrong, and what then; it stays until it is dismissed or something new is begun. */
export type Failure = { title: string; description: string };

type Job = {
  ids: readonly string[];
  state: State;
  changeOf?: ChangeOf | undefined;
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
};

const NO_CHANGE: ChangeOf = () => ({});

/** `onDone` is told of those that failed or were left. */
export function useBulkMove(onDone: (rest: string[]) => void) {
  const client = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const stopper = useRef<AbortController | null>(null);
  const run = async (ids: readonly string[], state: State, changeOf?: ChangeOf): Promise<Answer[]> => {
    stopper.current = new AbortController();
    setFailure(null);
    setProgress({ done: 0, of: ids.length });
    const { signal } = stopper.current;
    const answers = await moveAll(client, { ids, state, changeOf, signal, onProgress: setProgress });
    stopper.current = null;
    setProgress(null);
    return answers;
  };
  const move = async (ids: readonly string[], state: State, changeOf?: ChangeOf): Promise<void> => {
    if (ids.length === 0 || stopper.current) return;
    const answers = await run(ids, state, changeOf);
    const moved = answers.flatMap((one) => ('moved' in one && one.moved ? [one.id] : []));
    const undo = state === 'resolved' && moved.length > 0 ? () => void reopen(moved) : undefined;
    const told = report(answers, stateWord(state), 'What failed is selected.');
    if (told.tone) setFailure({ title: told.title, description: told.description });
    toast({
      about: 'bulk',
      ...(undo && { description: 'Undo opens them again as investigating.' }),
      title: told.title,
      ...(told.tone && { tone: told.tone }),
      ...(undo && { action: { label: 'Undo', run: undo } }),
    });
    onDone(restOf(answers));
  };
  /** Takes a resolving back. The selection may be another by now, so it is left alone. */
  const reopen = async (ids: readonly string[]): Promise<void> => {
    if (stopper.current) return;
    const answers = await run(ids, 'investigating');
    const rest = restOf(answers);
    const told = report(answers, 'Reopened');
    if (told.tone) setFailure({ title: told.title, description: told.description });
    toast({
      about: 'bulk',
      title: told.title,
      ...(told.tone && { tone: told.tone }),
      ...(rest.length > 0 && { action: { label: 'Try again', run: () => void reopen(rest) } }),
    });
  };
  return {
    move: (ids: readonly string[], state: State, changeOf?: ChangeOf) => void move(ids, state, changeOf),
    progress,
    stop: () => stopper.current?.abort(),
    failure,
    dismiss: () => setFailure(null),
  };
}

/** Some at a time. Too many requests stop them all: each write waits as long as the server says and then goes on. */
async function moveAll(client: QueryClient, job: Job): Promise<Answer[]> {
  const { ids, signal, onProgress } = job;
  const answers: Answer[] = [];
  const isInVain = () => signal.aborted || answers.some((one) => 'error' in one && isForAll(one.error));
  while (answers.length < ids.length && !isInVain()) {
    const some = ids.slice(answers.length, answers.length + AT_ONCE);
    answers.push(...(await Promise.all(some.map((id) => moveOne(client, id, job)))));
    onProgress({ done: answers.length, of: ids.length });
  }
  answers.push(...ids.slice(answers.length).map((id) => ({ id, left: true as const })));
  await Promise.all(
    ['incidents', 'summary'].map((endpoint) => client.invalidateQueries({ queryKey: [endpoint] })),
  );
  return answers;
}

/** Whether what failed one will fail them all: nobody answers, or the role does not allow it. */
function isForAll(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.forbidden);
}

function restOf(answers: readonly Answer[]): string[] {
  return answers.flatMap((one) => ('error' in one || 'left' in one ? [one.id] : []));
}

/** A refusal because of the state is no failure: what the state is by now says why. */
async function moveOne(client: QueryClient, id: string, job: Job): Promise<Answer> {
  const { state, signal, changeOf = NO_CHANGE } = job;
  if (signal.aborted) return { id, left: true };
  try {
    const change = changeOf(id);
    if (Object.keys(change).length > 0) await actions.changeIncident({ id, change, signal });
    await actions.moveIncident({ id, state, signal });
    return { id, state, moved: true, by: null };
  } catch (error) {
    if (signal.aborted) return { id, left: true };
    if (!(error instanceof ApiError && error.status === 409)) return { id, error };
  }
  try {
    const now = await client.fetchQuery({ ...q.incident(id), staleTime: 0 });
    return {
      id,
      state: now.state,
      moved: false,
      by: now.state === 'acknowledged' ? now.acknowledged_by : null,
    };
  } catch (error) {
    return { id, error };
  }
}

/** `12 acknowledged, 2 already resolved`, and what failed first when something did. */
function report(answers: readonly Answer[], word: string, then = '') {
  const [only] = answers;
  if (answers.length === 1 && only && 'moved' in only && !only.moved)
    return { title: `Already ${stateWord(only.state).toLowerCase()}${only.by ? ` by ${only.by}` : ''}` };
  const errors = answers.flatMap((one) => ('error' in one ? [one.error] : []));
  const moved = answers.filter((one) => 'moved' in one && one.moved).length;
  const left = answers.filter((one) => 'left' in one).length;
  const already = new Map<State, number>();
  for (const one of answers)
    if ('moved' in one && !one.moved) already.set(one.state, (already.get(one.state) ?? 0) + 1);
  const parts = [
    ...(moved > 0 ? [`${count(moved)} ${word.toLowerCase()}`] : []),
    ...[...already].map(([now, n]) => `${count(n)} already ${stateWord(now).toLowerCase()}`),
    ...(errors.length > 0 ? [`${count(errors.length)} failed`] : []),
    ...(left > 0 ? [`stopped before ${counted(left, 'other')}`] : []),
  ];
  const title = parts.join(', ');
  if (errors.length === 0) return { title };
  return {
    title,
    description: `${sentenceOf(errors[0])} ${then}`.trim(),
    tone: 'bad' as const,
  };
}
