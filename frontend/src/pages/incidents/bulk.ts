/** Moving several incidents at once, each answered for on its own. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { actions } from '../../api/actions';
import { ApiError, sentenceOf } from '../../api/errors';
import type { State } from '../../api/types';
import { stateWord } from '../../components/State';
import { toast } from '../../ui/Toast';
import { counted } from '../../util/numbers';

const AT_ONCE = 4;

export function useBulkMove(onDone: () => void) {
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const move = async (ids: readonly string[], state: State): Promise<void> => {
    if (ids.length === 0 || pending) return;
    setPending(true);
    const results: PromiseSettledResult<unknown>[] = [];
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const some = ids.slice(start, start + AT_ONCE).map((id) => actions.moveIncident({ id, state }));
      results.push(...(await Promise.allSettled(some)));
    }
    setPending(false);
    await Promise.all(
      ['incidents', 'summary'].map((endpoint) => client.invalidateQueries({ queryKey: [endpoint] })),
    );
    report(results, state);
    onDone();
  };
  return { move: (ids: readonly string[], state: State) => void move(ids, state), pending };
}

function report(results: PromiseSettledResult<unknown>[], state: State): void {
  const done = results.filter((one) => one.status === 'fulfilled').length;
  const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const past = refused.filter((error) => error instanceof ApiError && error.status === 409).length;
  const word = stateWord(state).toLowerCase();
  if (refused.length === 0) {
    toast({ title: `${counted(done, 'incident')} ${word}` });
    return;
  }
  if (past === refused.length) {
    toast({
      title: done === 0 ? `Already past ${word}` : `${counted(done, 'incident')} ${word}`,
      description: done === 0 ? undefined : `${past} could not: already past that state.`,
    });
    return;
  }
  toast({
    title: sentenceOf(refused[0]),
    description: `${done} done, ${refused.length} failed.`,
    tone: 'bad',
  });
}
