/** Moving several incidents at once, each answered for on its own. */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { actions, type IncidentChange } from '../../api/actions';
import { q } from '../../api/endpoints';
import { ApiError, sentenceOf } from '../../api/errors';
import type { State } from '../../api/types';
import { stateWord } from '../../components/State';
import { toast } from '../../ui/Toast';
import { count } from '../../util/numbers';

const AT_ONCE = 4;

/** What became of one of them: moved, in some state already, or failed. */
type Answer = { id: string } & ({ state: State; moved: boolean; by: string | null } | { error: unknown });

/** What is written into an incident before it is moved. */
export type ChangeOf = (id: string) => IncidentChange;

const NO_CHANGE: ChangeOf = () => ({});

/** `onDone` is told of those that failed. */
export function useBulkMove(onDone: (failed: string[]) => void) {
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const move = async (ids: readonly string[], state: State, changeOf?: ChangeOf): Promise<void> => {
    if (ids.length === 0 || pending) return;
    setPending(true);
    const answers = await moveAll(client, ids, state, changeOf);
    setPending(false);
    const moved = answers.flatMap((one) => ('moved' in one && one.moved ? [one.id] : []));
    const undo = state === 'resolved' && moved.length > 0 ? () => void reopen(client, moved) : undefined;
    toast({
      about: 'bulk',
      ...(undo && { description: 'Undo opens them again as investigating.' }),
      ...report(answers, stateWord(state), 'What failed is selected.'),
      ...(undo && { action: { label: 'Undo', run: undo } }),
    });
    onDone(failedOf(answers));
  };
  return {
    move: (ids: readonly string[], state: State, changeOf?: ChangeOf) => void move(ids, state, changeOf),
    pending,
  };
}

/** Takes a resolving back. The selection may be another by now, so it is left alone. */
async function reopen(client: QueryClient, ids: readonly string[]): Promise<void> {
  const answers = await moveAll(client, ids, 'investigating');
  const failed = failedOf(answers);
  toast({
    about: 'bulk',
    ...report(answers, 'Reopened'),
    ...(failed.length > 0 && { action: { label: 'Try again', run: () => void reopen(client, failed) } }),
  });
}

async function moveAll(
  client: QueryClient,
  ids: readonly string[],
  state: State,
  changeOf = NO_CHANGE,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const some = ids.slice(start, start + AT_ONCE);
    answers.push(...(await Promise.all(some.map((id) => moveOne(client, id, state, changeOf(id))))));
  }
  await Promise.all(
    ['incidents', 'summary'].map((endpoint) => client.invalidateQueries({ queryKey: [endpoint] })),
  );
  return answers;
}

function failedOf(answers: readonly Answer[]): string[] {
  return answers.flatMap((one) => ('error' in one ? [one.id] : []));
}

/** A refusal because of the state is no failure: what the state is by now says why. */
async function moveOne(
  client: QueryClient,
  id: string,
  state: State,
  change: IncidentChange,
): Promise<Answer> {
  try {
    if (Object.keys(change).length > 0) await actions.changeIncident({ id, change });
    await actions.moveIncident({ id, state });
    return { id, state, moved: true, by: null };
  } catch (error) {
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
  const already = new Map<State, number>();
  for (const one of answers)
    if ('moved' in one && !one.moved) already.set(one.state, (already.get(one.state) ?? 0) + 1);
  const parts = [
    ...(moved > 0 ? [`${count(moved)} ${word.toLowerCase()}`] : []),
    ...[...already].map(([now, n]) => `${count(n)} already ${stateWord(now).toLowerCase()}`),
    ...(errors.length > 0 ? [`${count(errors.length)} failed`] : []),
  ];
  const title = parts.join(', ');
  if (errors.length === 0) return { title };
  return {
    title,
    description: `${sentenceOf(errors[0])} ${then}`.trim(),
    tone: 'bad' as const,
  };
}
